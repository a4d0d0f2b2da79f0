import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Jail } from 'dragonfly-jail';
import { loadNative } from '#internal/native.js';
import { ATTACK, attackOutside, compileAttacks } from '../support/attack.js';
import { skipOnDragonfly } from '../support/environment.js';
import { monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';

// Until its exec a command is a child of the monitor, and runs the monitor's program: /proc/self/exe names it, and whoever
// is made to run that by a name inside is it from then on, for everybody in the jail to look at.

const SECONDS = byLength(2, 20);

interface Loot {
  looked: number;
  /** How often the program of a process could be opened at all. */
  opened: number;
  /** How often that was the file of the host. */
  held: number;
  /** What was done to that file. */
  changed: number;
}

describe('the file of the host that is the monitor’s program', () => {
  const jails = useJails();
  const program = () => loadNative().monitor;
  let jail: Jail;

  before(function () {
    skipOnDragonfly(this, 'a name there leads to a program by its path, which the jail has not');
    compileAttacks(this, jails);
    const folder = join(jails.root.path, 'hostile');
    writeFileSync(join(folder, 'script'), '#!/proc/self/exe\n', { mode: 0o755 });
    symlinkSync('/proc/self/exe', join(folder, 'link'));
    symlinkSync('/proc/thread-self/exe', join(folder, 'thread'));
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  for (const way of ['script', 'link', 'thread']) {
    it(`is not there for whoever runs /proc/self/exe by a ${way}`, async function () {
      this.timeout((SECONDS + 30) * 1000);
      const before = changeOf(program());
      const other = jail.spawn('sleep', ['1000']); // one that may be looked at
      const attacker = jail.spawn(ATTACK, ['take-program', `${SECONDS}`, ...identityOf(program())]);
      const robbed = lootOf(attacker);
      let runs = 0;
      for (; attacker.exitCode === null; runs += 8) await Promise.all(eight(way));
      const { looked, opened, held, changed } = await robbed;
      console.log(`      ${runs} runs, ${looked} processes looked at, ${opened} opened`);
      assert(opened > 0 && runs > 8);
      assert.deepEqual({ held, changed }, { held: 0, changed: 0 });
      assert.equal(changeOf(program()), before);
      other.kill('SIGKILL');
      await other.exited;
      assert.equal((await jail.exec('echo', ['works'])).stdout, 'works\n');
    });
  }

  it('can be run still, and changed by nobody, after a jail has tried all on it', async () => {
    const chmod = 'chmod 0 /proc/self/exe; chmod 0 /proc/1/exe; cat /proc/self/exe >/dev/null';
    await jail.exec('/hostile/script', [], { timeout: 5000 });
    await jail.exec('sh', ['-c', chmod]);
    const next = await jails.create();
    assert.equal((await next.exec('echo', ['works'])).stdout, 'works\n');
  });

  it('is what the same attack takes from a process that runs it', async () => {
    const victim = spawn(program(), [], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    try {
      await once(victim, 'spawn');
      const args = ['take-program', '0.5', ...identityOf(program())];
      const { held, changed } = await lootOf(spawn(attackOutside(jails), args));
      assert(held > 0);
      if (statSync(program()).uid === process.getuid?.()) assert(changed > 0);
    } finally {
      victim.kill('SIGKILL');
    }
  });

  it('is not what a monitor runs, which is called the same', () => {
    const [monitor] = monitorsOf(process.pid);
    assert(monitor !== undefined);
    const text = execFileSync('ps', ['-o', 'comm=,args=', '-p', `${monitor.pid}`]).toString();
    assert.match(text, /^jail-monitor +jail-monitor\s*$/);
  });

  function eight(way: string): Promise<unknown>[] {
    const one = () => jail.exec(`/hostile/${way}`, [], { timeout: 5000 }).catch(() => {});
    return Array.from({ length: 8 }, one);
  }
});

function identityOf(file: string): [device: string, inode: string] {
  const { dev, ino } = statSync(file);
  // As the C library's major(3) and minor(3) have them.
  const major = ((dev >>> 8) & 0xfff) | 0;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  return [`${major}:${minor}`, `${ino}`];
}

function changeOf(file: string): string {
  const { mode, uid, gid, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return `${mode} ${uid} ${gid} ${size} ${mtimeNs} ${ctimeNs}`;
}

interface Attacker extends EventEmitter {
  readonly stdout: Readable | null;
}

async function lootOf(attacker: Attacker): Promise<Loot> {
  let text = '';
  attacker.stdout?.on('data', (data) => {
    text += data;
  });
  await once(attacker, 'close');
  const line = text.split('\n').find((one) => one.startsWith('{'));
  assert(line !== undefined, text);
  return JSON.parse(line);
}
