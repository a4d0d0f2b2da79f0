import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { copyRoot } from '../copied-root.js';
import { nodePath } from '../environment.js';
import { root } from './blocks.js';
import type { Outcome, Step } from './inside.js';

// What the documents' paths are below: in a world they are folders of its own.
const COVERED = ['home', 'var', 'run', 'opt', 'srv', 'etc', 'usr/local/sbin', 'usr/local/etc'];

// Programs that the documents speak of, found along PATH in the jails too.
const STAND_INS: Readonly<Record<string, string>> = {
  // As far as a supervisor looks at it: it listens, and answers to ping.
  'redis-server': `#!/usr/bin/env node
    const { argv } = process;
    const host = argv[argv.indexOf('--bind') + 1];
    require('node:net').createServer((peer) => peer.end('PONG')).listen(6379, argv.includes('--bind') ? host : undefined, () =>
      console.log('Ready to accept connections'));`,
  'redis-cli': '#!/bin/sh\necho PONG\n',
  ping: '#!/bin/sh\necho 1 packets received\n',
  httpd: '#!/bin/sh\nexec sleep 1\n',
  // Takes JSON and nothing else.
  jq: '#!/usr/bin/env node\nJSON.parse(require("node:fs").readFileSync(0)) ?? process.exit(1);\n',
  // `npm test` is what runs this test.
  npm: '#!/bin/sh\ntest "$1" = test || PATH=$(echo "$PATH" | cut -d: -f2-) exec npm "$@"\n',
};

const RC_CONF = `
jail_enable="YES"
jail_list="www"
jail_www_rootdir="/var/jails/www"
jail_www_hostname="www.example.org"
jail_www_ip="10.0.0.7"
jail_www_procfs_enable="YES"
jail_www_exec_start="/bin/sh /etc/rc"
jail_www_exec_stop="/bin/sh /etc/rc"
`;

/**
 * A place to run what a document says, as it is written there: its paths are folders that are made for it, the host's
 * addresses are its own, and nothing that happens is seen outside. Needs root: it is a mount and a network namespace.
 */
export class World {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dfjail-world-'));
  /** Where a user would stand. */
  readonly home = this.#at('home/me');

  constructor() {
    chmodSync(this.#folder, 0o711);
    this.#fill();
  }

  #at(...parts: string[]): string {
    return join(this.#folder, ...parts);
  }

  #fill(): void {
    for (const folder of [...COVERED, 'home/me/node_modules'])
      mkdirSync(this.#at(folder), { recursive: true });
    for (const folder of ['jails', 'log', 'run', 'tmp']) mkdirSync(this.#at('var', folder));
    cpSync('/etc', this.#at('etc'), { recursive: true, verbatimSymlinks: true, filter: isPlain });
    this.#program('opt/app/server', '#!/bin/sh\necho served\n');
    for (const folder of ['srv/www/db', 'opt/tools', 'home/me/site']) {
      mkdirSync(this.#at(folder), { recursive: true });
    }
    symlinkSync(root, this.#at('home/me/node_modules/dragonfly-jail'));
    this.#file('home/me/nginx.conf', 'events {}\nhttp { server { listen 80; root /srv; } }\n');
    this.#file(
      'srv/server.js',
      "require('node:http').createServer().listen(80, () => console.log('listening'));\n",
    );
    for (const [name, code] of Object.entries(STAND_INS))
      this.#program(`usr/local/sbin/${name}`, code);
    this.#file('usr/local/sbin/node', ''); // this Node is mounted there
    symlinkSync(join(root, 'dist/cli/main.js'), this.#at('usr/local/sbin/dfjail'));
    this.#file('etc/rc.conf', RC_CONF);
    this.#file('usr/local/etc/jails.conf', RC_CONF);
    this.#file('home/me/a-file', 'content\n');
  }

  /** A complete root for the jail www, as jail(8) takes it. */
  addCompleteRoot(): void {
    const path = this.#at('var/jails/www');
    mkdirSync(path);
    copyRoot(path, ['ps', 'tar']);
    for (const folder of ['srv', 'mnt', 'proc', 'var/log'])
      mkdirSync(join(path, folder), { recursive: true });
    this.#file('var/jails/www/etc/rc', 'exit 0\n');
    this.#file(
      'var/jails/www/etc/passwd',
      'root:*:0:0::/:/bin/sh\nwww:*:80:80::/home/www:/bin/sh\nnobody:*:65534:65534::/:/bin/sh\n',
    );
    for (const at of ['usr/sbin', 'usr/local/bin'])
      this.#program(`var/jails/www/${at}/httpd`, STAND_INS.httpd ?? '');
  }

  /** Puts a file where the user stands. */
  writeHome(name: string, content: string): void {
    this.#file(`home/me/${name}`, content);
  }

  #file(name: string, content: string): void {
    mkdirSync(dirname(this.#at(name)), { recursive: true });
    writeFileSync(this.#at(name), content);
  }

  #program(name: string, content: string): void {
    this.#file(name, content);
    chmodSync(this.#at(name), 0o755);
  }

  /** Does the steps, one after the other. */
  async run(steps: readonly Step[]): Promise<Outcome[]> {
    const inside = join(root, 'build/test/support/documents/inside.js');
    const args = ['--mount', '--net', 'sh', '-euc', this.#mounts(), 'sh', nodePath, inside];
    const env = { PATH: `/usr/local/sbin:${process.env.PATH}`, HOME: this.home, LANG: 'C' };
    const child = spawn('unshare', args, { cwd: root, env });
    child.stdin.end(JSON.stringify(steps));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (stdout === '') throw new Error(`the world came to an end: ${stderr}`);
    return JSON.parse(stdout);
  }

  // The project and Node stay in sight, wherever they are.
  #mounts(): string {
    const kept = [root, dirname(dirname(nodePath)), this.#folder].filter(isCovered);
    return [
      ...kept.map(
        (path) =>
          `mkdir -p '${this.#folder}${path}'; mount --rbind '${path}' '${this.#folder}${path}'`,
      ),
      `mount --bind '${nodePath}' '${this.#at('usr/local/sbin/node')}'`,
      ...COVERED.map((name) => `mount --rbind '${this.#at(name)}' /${name}`),
      // Of the network that is its own; control groups stay.
      `mkdir '${this.#at('cgroup')}'; mount --rbind /sys/fs/cgroup '${this.#at('cgroup')}'`,
      `mount -t sysfs sysfs /sys; mount --rbind '${this.#at('cgroup')}' /sys/fs/cgroup`,
      'exec "$@"',
    ].join('\n');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isCovered(path: string): boolean {
  return COVERED.some((name) => path.startsWith(`/${name}/`));
}

// Sockets and the like cannot be copied, and nobody asks for them.
function isPlain(path: string): boolean {
  return !/\/(\.git|shadow-?|ssl\/private)$/.test(path);
}
