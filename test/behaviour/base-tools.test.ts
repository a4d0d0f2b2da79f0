import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Jail, listJails } from 'dragonfly-jail';
import fc from 'fast-check';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { CliProcess, cliEnvironment, runDfjail } from '../support/cli-process.js';
import { copyRoot } from '../support/copied-root.js';
import {
  eventually,
  isRoot,
  needRoot,
  patience,
  skip,
  skipOnModel,
} from '../support/environment.js';
import { attempt, compileHostile } from '../support/hostile.js';
import { jlsByHand } from '../support/jls-by-hand.js';
import { Snapshot } from '../support/leaks.js';
import { Terminal, whyNoTerminal } from '../support/terminal/index.js';

const TEST_TIMEOUT = patience(30_000);
const HEADER = 'JID\tHostname\tPath\t\tIPs\n';

describe('dfjail jail, jls and jexec', function () {
  this.timeout(TEST_TIMEOUT);
  let folder: string;
  let root: string;
  let snapshot: Snapshot;
  const made: Jail[] = [];

  before(async function () {
    skipOnModel(this, 'dfjail is another program; what the model does for it is in test/unit');
    folder = await realpath(await mkdtemp(join(tmpdir(), 'dfjail-base-')));
    root = join(folder, 'root');
    await mkdir(root);
    copyRoot(root);
  });
  after(() => folder && rm(folder, { recursive: true, force: true }));
  beforeEach(() => {
    snapshot = new Snapshot(folder);
  });
  afterEach(async () => {
    for (const jail of made.splice(0)) await jail.stop({ graceMs: 0 });
    await snapshot.assertNothingLeft();
  });

  const hostileRoot = () => ({ path: root, outside: folder, mounts: [], remove: async () => {} });
  const jail = (...argv: string[]) => runDfjail(['jail', ...argv]);
  const jexec = (...argv: string[]) => runDfjail(['jexec', ...argv]);
  const jls = () => runDfjail(['jls']);
  const shell = (script: string) => ['/bin/sh', '-c', script];

  async function create(hostname: string, addresses: string[] = []): Promise<Jail> {
    const jail = await Jail.create({ path: root, hostname, addresses });
    made.push(jail);
    return jail;
  }

  describe('jail', () => {
    it('runs a command in a jail and ends as it does, and the jail with it', async () => {
      const end = await jail(
        root,
        'host.one',
        '',
        ...shell('hostname; pwd; echo oops >&2; exit 7'),
      );
      assert.deepEqual(end, { code: 7, signal: null, stdout: 'host.one\n/\n', stderr: 'oops\n' });
      assert.deepEqual(listJails(), []);
      assert.equal((await jail(root, 'h', '', ...shell('kill -TERM $$'))).code, 143);
    });

    it('prints the jid first, and takes addresses, a relative path and programs', async () => {
      const { stdout, code } = await runDfjail([
        ...['jail', '-i', relative(process.cwd(), root), 'h', `${nextIPv4()},${nextIPv6()}`],
        ...['bin/echo', '-i', '--', 'x y'],
      ]);
      assert.match(stdout, /^[1-9]\d*\n-i -- x y\n$/);
      assert.equal(code, 0);
    });

    it('says what jail(8) says when something is wrong', async () => {
      const usage =
        'Usage: jail [-i] [-l -u username | -U username] path hostname ip-list command ...\n';
      const file = join(folder, 'file');
      await writeFile(file, '');
      const cases: [string[], string, string][] = [
        [[], '', usage],
        [['--help'], '', `jail: illegal option -- -\n${usage}`],
        [['-l', root, 'h', '', '/bin/sh'], '', usage],
        [
          ['/nonexist', 'h', 'x', '/bin/sh'],
          '',
          'jail: realpath: /nonexist: No such file or directory\n',
        ],
        [[file, 'h', 'x', '/bin/sh'], '', `jail: chdir: ${file}: Not a directory\n`],
        [[root, 'h', '::1,0', '/bin/sh'], 'Invalid value 0\n', ''],
        [[root, 'x'.repeat(256), '', '/bin/sh'], '', 'jail: jail: Bad address\n'],
        [[root, 'h', '', '/bin/none'], '', 'jail: execv: /bin/none: No such file or directory\n'],
        [[root, 'h', '', 'sh'], '', 'jail: execv: sh: No such file or directory\n'],
        [[root, 'h', '', '/etc/passwd'], '', 'jail: execv: /etc/passwd: Permission denied\n'],
        [['-U', 'nosuch', root, 'h', '', '/bin/sh'], '', 'jail: nosuch: no such user\n'],
        [['-u', 'nosuch', root, 'h', '', '/bin/sh'], '', 'jail: nosuch: no such user\n'],
      ];
      for (const [argv, stdout, stderr] of cases) {
        assert.deepEqual(await jail(...argv), { code: 1, signal: null, stdout, stderr });
      }
    });

    it('the jail lives on with what the command has left behind, and ends with it', async () => {
      const { stdout, code } = await jail(
        '-i',
        root,
        'h',
        '',
        ...shell(`sleep ${patience(1500) / 1000} >/dev/null 2>&1 & exit 3`),
      );
      assert.equal(code, 3);
      const jid = Number(stdout);
      assert.deepEqual(
        listJails().map((info) => [info.jid, info.state]),
        [[jid, 'running']],
      );
      assert.equal((await jexec(`${jid}`, 'hostname')).stdout, 'h\n');
      await eventually(() => assert.deepEqual(listJails(), []), 10_000);
    });

    it('signals reach the command; when dfjail is killed nothing is left', async () => {
      const script = 'trap "echo told; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
      const told = new CliProcess(['jail', root, 'h', '', ...shell(script)]);
      await eventually(() => assert.equal(told.text, 'ready\n'), 10_000);
      told.kill('SIGTERM');
      const { code, stdout } = await told.ended;
      assert.deepEqual([code, stdout], [5, 'ready\ntold\n']);
      const killed = new CliProcess(['jail', root, 'h', '', ...shell(script)]);
      await eventually(() => assert.equal(killed.text, 'ready\n'), 10_000);
      killed.kill('SIGKILL');
      await killed.ended;
      await eventually(() => assert.deepEqual(listJails(), []), 10_000);
    });

    it('its pipes are the command’s, which may be slow', async () => {
      const script =
        'cat; i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done';
      const program = new CliProcess(['jail', '-i', root, 'h', '', ...shell(script)]);
      program.stdout.pause();
      await eventually(() => assert.equal(listJails()[0]?.state, 'running'), 10_000);
      program.stdin.end('late\n');
      await new Promise((resolve) => setTimeout(resolve, 300));
      program.stdout.resume();
      const { code, stdout, stderr } = await program.ended;
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^\d+\nlate\n/);
      assert.equal(stdout.split('\n').length, 3003);
    });

    it('hands the environment on, or cleans it with -l', async () => {
      const env = { SECRET: 'x', TERM: 'vt100' };
      const plain = await runDfjail(['jail', root, 'h', '', '/bin/env'], { env });
      assert.match(plain.stdout, /^SECRET=x$/m);
      const clean = await runDfjail(['jail', '-l', '-U', 'root', root, 'h', '', '/bin/env'], {
        env,
      });
      assert.doesNotMatch(clean.stdout, /SECRET/);
      for (const line of ['HOME=/', 'SHELL=/bin/sh', 'USER=root', 'TERM=vt100']) {
        assert.ok(clean.stdout.split('\n').includes(line), line);
      }
    });

    it('runs the command as a user of the jail, or of the host', async function () {
      needRoot(this);
      const script = 'pwd; id -u; id -g; id -G; echo $HOME $USER';
      const inside = await jail('-lU', 'www', root, 'h', '', ...shell(script));
      assert.equal(inside.stdout, '/home/www\n80\n80\n80 90\n/home/www www\n', inside.stderr);
      const daemon = (await run('id', '-u', 'daemon')) + (await run('id', '-g', 'daemon'));
      const groups = await run('id', '-G', 'daemon');
      const host = await jail('-u', 'daemon', root, 'h', '', ...shell('id -u; id -g; id -G; pwd'));
      assert.equal(host.stdout, `${daemon}${groups}/\n`, host.stderr);
      const home = await jail('-l', '-u', 'daemon', root, 'h', '', '/bin/pwd');
      assert.equal(home.stderr, 'jail: no home directory\n');
    });
  });

  describe('jexec', () => {
    it('runs a command in a jail that is there, along PATH, and leaves the jail', async () => {
      const own = await create('host.two');
      const { code, stdout } = await jexec(` 0${own.jid}`, 'sh', '-c', 'hostname; exit 9');
      assert.deepEqual([code, stdout], [9, 'host.two\n']);
      assert.equal((await jexec(`${own.jid}`, 'sh', '-c', 'kill -9 $$')).code, 137);
      const piped = await runDfjail(['jexec', `${own.jid}`, '/bin/cat'], { input: 'some input' });
      assert.equal(piped.stdout, 'some input');
      assert.equal(own.info().state, 'empty');
    });

    it('a script without #! is run by the shell, as execvp(3) does', async () => {
      const own = await create('h');
      await writeFile(join(root, 'bin/script'), 'echo script $0 "$@"\n', { mode: 0o755 });
      const byPath = await jexec(`${own.jid}`, '/bin/script', 'a b');
      assert.equal(byPath.stdout, 'script /bin/script a b\n', byPath.stderr);
      // The program itself is found by it, too.
      const env = { PATH: `/none:/bin:${dirname(process.execPath)}` };
      const found = await runDfjail(['jexec', `${own.jid}`, 'script'], { env });
      assert.equal(found.stdout, 'script /bin/script\n', found.stderr);
      const refused = await jail(root, 'h', '', '/bin/script');
      assert.equal(refused.stderr, 'jail: execv: /bin/script: Exec format error\n');
    });

    it('says what jexec(8) says when something is wrong', async () => {
      const own = await create('h');
      const id = `${own.jid}`;
      const cases: [string[], string][] = [
        [[], 'usage: jexec jid command [...]\n'],
        [[id], 'usage: jexec jid command [...]\n'],
        [['www', 'sh'], 'jexec: cannot parse jail id: www.\n'],
        [['-u', 'root', id, 'sh'], 'jexec: cannot parse jail id: -u.\n'],
        [['4294967297', 'sh'], 'jexec: invalid jail id: 4294967297: Result too large\n'],
        [['999998', 'sh'], 'jexec: jail_attach(999998) failed: Invalid argument\n'],
        [['0', 'sh'], 'jexec: jail_attach(0) failed: Invalid argument\n'],
        [['-5', 'sh'], 'jexec: jail_attach(-5) failed: Invalid argument\n'],
        [[id, '/none'], 'jexec: execvp(/none) failed: No such file or directory\n'],
        [[id, 'none'], 'jexec: execvp(none) failed: No such file or directory\n'],
        [[id, '/etc/passwd'], 'jexec: execvp(/etc/passwd) failed: Permission denied\n'],
      ];
      for (const [argv, stderr] of cases) {
        assert.deepEqual(await jexec(...argv), { code: 1, signal: null, stdout: '', stderr });
      }
    });
  });

  describe('jls', () => {
    it('says nothing without jails', async () => {
      assert.deepEqual(await jls(), { code: 0, signal: null, stdout: '', stderr: '' });
    });

    it('lists the newest jail first, in the columns and spellings of jls(8)', async () => {
      const [v4, v6] = [nextIPv4(), nextIPv6()];
      const first = await create('host.one', [v4, v6]);
      const second = await create('h');
      const { stdout } = await jls();
      const cells = (jail: Jail, host: string) =>
        `${`${jail.jid}`.padEnd(8)}${host.padEnd(15)} ${root}`;
      const [head, newest = '', oldest = ''] = stdout.split('\n');
      assert.equal(`${head}\n`, HEADER);
      assert.equal(newest, `${cells(second, 'h')} (none)`);
      assert.equal(oldest.split(' ').slice(0, -1).join(' '), `${cells(first, 'host.one')} ${v4}`);
      assert.match(oldest, / [0-9a-f]{4}:\S*:[0-9a-f]{4}$/); // zeros and all
      assert.deepEqual((await runDfjail(['jls', '-x', 'y', '--json'])).stdout, stdout);
    });

    it('hostile hostnames are printed byte for byte as jls(8) prints them', async function () {
      compileHostile(this, hostileRoot());
      const own = await create('honest');
      const character = fc.constantFrom(...' \n\t\x1b[2J/:.019az\x07\x7fé\u{202e}\u{9b}');
      const name = fc.string({ unit: character, minLength: 0, maxLength: 30 });
      const names = fc.sample(name, 20).concat('\x1b[31mred /\n7 forged / 6.6.6.6');
      for (const name of names) {
        assert.equal(await attempt(own, 'sethostname', name), 'ok');
        const list = Buffer.from(`${own.jid} ${name} ${root}`);
        assert.equal((await jls()).stdout, Buffer.from(jlsByHand(list), 'latin1').toString());
      }
    });

    it('on a terminal they are shown instead of acted on', async function () {
      const reason = whyNoTerminal();
      if (reason !== null) skip(this, reason);
      compileHostile(this, hostileRoot());
      const own = await create('honest');
      assert.equal(await attempt(own, 'sethostname', 'x\x1b[2J\x1b[31mred'), 'ok');
      await using terminal = await Terminal.open({});
      await terminal.type('$D jls');
      await terminal.shows(/^\d+ +x\\x1b\[2J\\x1b\[31mred +\//m);
    });
  });

  if (!isRoot) {
    it('needs no privileges on Linux', async () => {
      assert.equal((await jail(root, 'h', '', '/bin/id', '-u')).stdout, '0\n');
    });
  }

  async function run(file: string, ...args: string[]): Promise<string> {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cliEnvironment(),
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    await once(child, 'close');
    return text;
  }
});
