import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Jail, type JailInfo, listJails } from 'dragonfly-jail';

import {
  CliProcess,
  cliEnvironment,
  dfjailPath,
  runDfjail,
  temporaryRoots,
} from '../support/cli-process.js';
import {
  eventually,
  isRoot,
  needRoot,
  onRealDragonfly,
  patience,
  skip,
} from '../support/environment.js';

import { descendants, hostMounts, stillThere } from '../support/host.js';
import { Snapshot } from '../support/leaks.js';
import { system } from '../support/system/index.js';

const TEST_TIMEOUT = patience(30_000);

describe('dfjail, the program', function () {
  this.timeout(TEST_TIMEOUT);
  let folder: string;
  let env: Record<string, string>;
  let before: Snapshot;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfjail-cli-'));
    env = { TMPDIR: folder };
    before = new Snapshot(folder);
  });
  afterEach(async () => {
    await before.assertNothingLeft();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (...argv: string[]) => runDfjail(['run', ...argv], { env });
  const start = (...argv: string[]) => new CliProcess(argv, env);
  // The temporary roots that are there.
  const roots = () => temporaryRoots(folder);
  const shell = (script: string) => ['/bin/sh', '-c', script];

  /** Says `ready` when it can take signals, and does something on one of them. */
  const listening = (signal: string, action: string) =>
    shell(`trap '${action}' ${signal}; echo ready; while :; do sleep 0.05; done`);

  async function ready(program: CliProcess): Promise<void> {
    await eventually(() => assert.match(program.text, /ready/), 10_000);
  }

  describe('run', () => {
    it('exits as the command does', async () => {
      assert.equal((await run(...shell('exit 7'))).code, 7);
      assert.equal((await run('true')).code, 0);
      assert.equal((await run(...shell('kill -9 $$'))).code, 137);
      assert.equal((await run(...shell('kill -TERM $$'))).code, 143);
      assert.deepEqual(roots(), [], 'temporary roots are left');
    });

    it('says 127 of a command that is not there and 126 of one that cannot be executed', async () => {
      const missing = await run('/bin/no-such-program');
      assert.deepEqual([missing.code, missing.stdout], [127, '']);
      assert.match(missing.stderr, /^dfjail run: ENOENT: .*no-such-program.*\n {2}hint: .+\n$/);
      assert.equal((await run('no-such-program')).code, 127);
      assert.equal((await run('/etc/passwd')).code, 126);
      assert.equal((await run('/etc')).code, 126);
      assert.deepEqual(roots(), []);
    });

    it('says 125 when there can be no jail, and 64 when it is misused', async () => {
      const { code, stderr } = await run('-p', '/no/such/folder', 'true');
      assert.equal(code, 125);
      assert.match(stderr, /ENOENT.*\n {2}hint: /);
      assert.equal((await run('--limit', 'x=1', 'true')).code, 64);
      assert.equal((await run('--user', 'nobody-of-that-name', 'true')).code, 125);
    });

    it('passes streams through, to the last byte', async () => {
      const size = 5_000_000;
      const program = start('run', 'cat');
      let received = 0;
      program.stdout.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      program.stdin.end(Buffer.alloc(size, 'x'));
      assert.equal((await program.ended).code, 0);
      assert.equal(received, size);
      const both = await run(...shell('echo out; echo err >&2'));
      assert.deepEqual([both.stdout, both.stderr], ['out\n', 'err\n']);
    });

    it('makes the jail that the options describe', async () => {
      mkdirSync(join(folder, 'shared'));
      writeFileSync(join(folder, 'shared', 'file'), 'from the host\n');
      const { code, stdout, stderr } = await run(
        ...['--hostname', 'cli.test', '-n', 'cli_test', '--limit', 'nofile=99'],
        ...['-m', `nullfs:${join(folder, 'shared')}:/data/here:ro`],
        ...['-m', 'tmpfs::/scratch:size=1m', '--env', 'A=1', '-e', 'B=two words', '-w', '/tmp'],
        ...shell(
          'hostname; ulimit -n; cat /data/here/file; echo $A $B; pwd; ! touch /data/here/x 2>&-',
        ),
      );
      assert.equal(stderr, '');
      assert.deepEqual(stdout.split('\n').slice(0, 5), [
        'cli.test',
        '99',
        'from the host',
        '1 two words',
        '/tmp',
      ]);
      assert.equal(code, 0);
    });

    it('gives a jail addresses, and users where there are some', async function () {
      const addresses = ['--ip', '198.51.100.9,2001:db8::9'];
      if (onRealDragonfly) {
        const { stdout } = await run(...addresses, '--interface', 'lo0', 'ifconfig', 'lo0');
        assert.match(stdout, /inet6 2001:db8::9 /);
        assert.match(stdout, /inet 198\.51\.100\.9 /);
        assert.doesNotMatch(stdout, /127\.0\.0\.1/);
      } else {
        const { stdout } = await run(...addresses, 'cat', '/proc/net/if_inet6');
        assert.match(stdout, /20010db8000000000000000000000009/);
      }
      if (!isRoot) needRoot(this);
      assert.equal((await run('-u', 'nobody', 'id', '-un')).stdout, 'nobody\n');
    });

    it('takes the form of jail(8)', async () => {
      const root = join(folder, 'root');
      assert.equal((await run('--thin', '-p', root, 'true')).code, 0);
      assert.ok(existsSync(join(root, 'etc/passwd')), 'a root that was asked for stays');
      const mount = ['-m', 'nullfs:/usr:/usr:ro'];
      const { code, stdout } = await run(
        ...mount,
        root,
        'old.test',
        '198.51.100.7',
        '/bin/hostname',
      );
      assert.deepEqual([code, stdout], [0, 'old.test\n']);
    });

    it('never gives a jail a directory of the host as a descriptor', async () => {
      const script = `"${dfjailPath}" run sh -c 'ls -l /proc/self/fd/ >&2; cd /dev/stdin && ls' < /`;
      const child = spawn('sh', ['-c', script], { env: cliEnvironment(env), stdio: 'ignore' });
      const [code] = await once(child, 'close');
      assert.notEqual(code, 0);
    });

    it('sends signals on to the command, and exits as it does', async () => {
      for (const signal of ['INT', 'TERM', 'HUP', 'USR1', 'USR2'] as const) {
        const program = start('run', ...listening(signal, 'exit 40'));
        await ready(program);
        program.kill(`SIG${signal}`);
        assert.equal((await program.ended).code, 40, signal);
      }
      const program = start('run', ...shell('echo ready; exec sleep 100'));
      await ready(program);
      program.kill('SIGINT');
      assert.deepEqual([(await program.ended).code, roots()], [130, []]);
    });

    it('leaves nothing when it is interrupted while the jail is made', async () => {
      for (const delay of [0, 40, 60, 70, 80, 100]) {
        const program = start('run', 'sleep', '100');
        await new Promise((done) => setTimeout(done, delay));
        program.kill('SIGTERM');
        const { code, signal } = await program.ended;
        assert.ok(signal === 'SIGTERM' || code === 143, `${code} ${signal}`);
        await before.assertNothingLeft();
      }
    });

    it('killed by SIGKILL it leaves no process, mount, link or entry', async () => {
      const mounts = hostMounts();
      const program = start(
        'run',
        '--ip',
        '198.51.100.8',
        ...shell(`sleep 100 & ${system.inOwnSession} sleep 100 & echo ready; wait`),
      );
      await ready(program);
      const family = descendants(program.pid);
      assert.ok(
        family.length >= (onRealDragonfly ? 3 : 4),
        'monitor, anchor and commands are seen',
      );
      program.kill('SIGKILL');
      await program.ended;
      await eventually(() => assert.deepEqual(stillThere(family), []));
      assert.deepEqual(hostMounts(), mounts);
      await before.assertNothingLeft();
      assert.equal(roots().length, 1, 'only the folder of its root is left');
      const { stdout } = await runDfjail(['recover', '--json'], { env });
      assert.equal(JSON.parse(stdout).folders.length, 1);
      assert.deepEqual(roots(), []);
    });

    it('the next one removes the root of one that was killed', async () => {
      const program = start('run', ...shell('mkdir -m 0 /closed; echo ready; sleep 100'));
      await ready(program);
      const [left] = roots();
      program.kill('SIGKILL');
      await program.ended;
      await before.assertNothingLeft();
      assert.deepEqual(roots(), [left]);
      await run('true');
      assert.deepEqual(roots(), []);
    });

    it('leaves the roots of others alone', async () => {
      const program = start('run', ...listening('TERM', 'exit 0'));
      await ready(program);
      const [root = ''] = roots();
      await run('true');
      await runDfjail(['recover'], { env });
      assert.deepEqual(roots(), [root]);
      program.kill('SIGTERM');
      assert.equal((await program.ended).code, 0);
    });

    it('--json collects the output, and signals are still sent on', async () => {
      const { code, stdout } = await run('--json', ...shell('echo out; echo err >&2; exit 3'));
      assert.equal(code, 3);
      const { stdout: out, stderr: err, exitCode, signal } = JSON.parse(stdout);
      assert.deepEqual([out, err, exitCode, signal], ['out\n', 'err\n', 3, null]);
      const failed = await run('--json', '/bin/none');
      assert.deepEqual([failed.code, failed.stdout], [127, '']);
      assert.equal(JSON.parse(failed.stderr).error.step, 'exec');
    });
  });

  describe('a jail that stays', () => {
    async function detach(...argv: string[]): Promise<JailInfo> {
      const { code, stdout, stderr } = await run('-d', '--json', ...argv);
      assert.equal(code, 0, stderr);
      const { jid } = JSON.parse(stdout);
      const jail = listJails().find((each) => each.jid === jid);
      assert.ok(jail !== undefined);
      return jail;
    }

    async function stop(jid: number): Promise<void> {
      const jail = await Jail.open(jid);
      await jail.stop({ graceMs: 0 });
    }

    it('is listed, entered and watched by other calls', async () => {
      const { jid } = await detach('-n', 'stays', 'sleep', '100');
      try {
        const { stdout } = await runDfjail(['ps', 'stays'], { env });
        assert.match(stdout, /sleep 100\n$/);
        const inside = await runDfjail(['exec', 'stays', 'sh', '-c', 'cat; exit 4'], {
          env,
          input: 'hi',
        });
        assert.deepEqual([inside.code, inside.stdout], [4, 'hi']);
        assert.equal((await runDfjail(['exec', `${jid}`, 'none'], { env })).code, 127);
        assert.equal((await runDfjail(['exec', 'nobody', 'true'], { env })).code, 125);
        const hidden = await runDfjail(['ls', '-q'], { env });
        assert.ok(hidden.stdout.split('\n').includes('stays'));
      } finally {
        await stop(jid);
      }
    });

    it('stop ends it and takes everything back, its temporary root too', async () => {
      const { jid } = await detach(
        '-n',
        'ends',
        ...shell('trap "" TERM; while :; do sleep 0.1; done'),
      );
      await detach('-n', 'also');
      const stopped = await runDfjail(['stop', '--grace', '100', `${jid}`, 'also'], { env });
      assert.deepEqual([stopped.code, stopped.stdout], [0, `${jid}: stopped\nalso: stopped\n`]);
      assert.deepEqual(roots(), []);
      const again = await runDfjail(['stop', 'ends', '--json'], { env });
      assert.equal(again.code, 125);
      const [{ name, error }] = JSON.parse(again.stdout);
      assert.deepEqual([name, error.code], ['ends', 'ERR_JAIL_NOT_FOUND']);
    });

    it('--log has what the command wrote', async () => {
      const log = join(folder, 'log');
      const { jid } = await detach('--log', log, ...shell('echo out; echo err >&2; sleep 100'));
      try {
        await eventually(() => assert.equal(readFileSync(log, 'utf8'), 'out\nerr\n'));
      } finally {
        await stop(jid);
      }
    });

    it('without a command it is empty; a command that cannot be run makes none', async () => {
      const { jid, state } = await detach();
      assert.equal(state, 'empty');
      await stop(jid);
      const failed = await run('-d', '/bin/none');
      assert.equal(failed.code, 127);
      const also = await run('--persist', '/bin/none');
      assert.equal(also.code, 127);
      assert.deepEqual(
        listJails().filter(({ path }) => path.startsWith(folder)),
        [],
      );
    });

    it('exec does not wait for what a command leaves running', async () => {
      const { jid } = await detach();
      try {
        const { code } = await runDfjail(
          ['exec', `${jid}`, ...shell('sleep 100 >&- 2>&- & exit 5')],
          { env },
        );
        assert.equal(code, 5);
      } finally {
        await stop(jid);
      }
    });

    it('tune changes what later commands may do', async () => {
      const { jid } = await detach();
      try {
        const changed = await runDfjail(['tune', `jail.${jid}.net_raw_sockets=1`], { env });
        assert.match(changed.stdout, /rawSockets +on/);
        const told = await runDfjail(['tune', `${jid}`, 'rawSockets', '--json'], { env });
        assert.deepEqual(JSON.parse(told.stdout).capabilities, { rawSockets: true });
        if (onRealDragonfly) return; // which has defaults for all
        const defaults = await runDfjail(['tune', 'rawSockets=on'], { env });
        assert.equal(defaults.code, 125);
        assert.match(defaults.stderr, /not supported.*\n {2}hint: use dfjail run --cap/);
      } finally {
        await stop(jid);
      }
    });
  });

  it('ends quietly when nobody reads any more', async () => {
    const script = `"${dfjailPath}" plan | head -n 1; "${dfjailPath}" help run | true`;
    const child = spawn('sh', ['-c', script], {
      env: cliEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    child.stdout.resume();
    await once(child, 'close');
    assert.equal(stderr, '');
  });

  it('says so when its output cannot be written', async function () {
    if (!existsSync('/dev/full')) skip(this, 'there is no /dev/full');
    const script = `"${dfjailPath}" probe > /dev/full`;
    const child = spawn('sh', ['-c', script], {
      env: cliEnvironment(env),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const stderr = text(child.stderr);
    const [code] = await once(child, 'close');
    assert.deepEqual([code, (await stderr).includes('ENOSPC')], [125, true]);
  });

  it('lists processes with what they are', async () => {
    const program = start('run', '-n', 'cli_ps', ...listening('TERM', 'exit 0'));
    await ready(program);
    const { stdout } = await runDfjail(['top', '--json', '--interval', '200'], { env });
    const row = JSON.parse(stdout).jails.find(({ name }: { name: string }) => name === 'cli_ps');
    assert.ok(row.processes >= 1 && row.rss > 0 && row.threads >= 1, stdout);
    program.kill('SIGTERM');
    await program.ended;
  });

  it('top tells how busy a jail is', async () => {
    const program = start('run', '-n', 'cli_busy', ...shell('echo ready; while :; do :; done'));
    await ready(program);
    const { stdout } = await runDfjail(['top', '--json', '--interval', '1000'], { env });
    const row = JSON.parse(stdout).jails.find(({ name }: { name: string }) => name === 'cli_busy');
    assert.ok(row.cpu > 5 && row.cpu < 130, stdout);
    program.kill('SIGKILL');
    await program.ended;
    await before.assertNothingLeft();
  });
});
