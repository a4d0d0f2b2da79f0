import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Jail, listJails } from 'dragonfly-jail';
import { readState, type ServiceStatus } from 'dragonfly-jail/supervisor';
import { nextIPv4 } from '../support/addresses.js';
import { CliProcess, cliEnvironment, dfjailPath, runDfjail } from '../support/cli-process.js';
import { eventually, onRealDragonfly, patience } from '../support/environment.js';
import { hostProcess } from '../support/host.js';
import { Snapshot } from '../support/leaks.js';
import { makeRoot, type TestRoot } from '../support/roots.js';

const TEST_TIMEOUT = patience(60_000);
// On DragonFly jails of one root would have to share these mounts.
const DEVICES = 'jail_devfs_enable="YES"\njail_procfs_enable="YES"\n';

describe('dfjail supervise', function () {
  this.timeout(TEST_TIMEOUT);
  let root: TestRoot;
  let file: string;
  let stateFile: string;
  let earlier: Snapshot;
  const programs: CliProcess[] = [];

  beforeEach(async () => {
    root = await makeRoot();
    earlier = new Snapshot(root.outside);
    file = join(root.outside, 'services.json');
    stateFile = join(root.outside, 'state.json');
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) {
      program.kill('SIGKILL');
      await program.ended;
    }
    for (const { path, jid } of listJails()) {
      if (path.startsWith(root.outside)) await (await Jail.open(jid)).stop({ graceMs: 0 });
    }
    await earlier.assertNothingLeft();
    await root.remove();
  });

  /** A service that runs a script of sh. */
  function service(script: string, about: object = {}): object {
    const jail = { path: root.path, hostname: 'service.test', mounts: root.mounts };
    return { jail, command: ['sh', '-c', script], stop: { graceMs: 1000 }, ...about };
  }

  function write(services: Record<string, object>, about: object = {}): void {
    writeFileSync(file, JSON.stringify({ stateFile, services, ...about }));
  }

  function start(...argv: string[]): CliProcess {
    const program = new CliProcess(['supervise', ...argv]);
    programs.push(program);
    return program;
  }

  const status = (name: string): ServiceStatus | undefined =>
    readState(stateFile)?.services.find((one) => one.name === name);
  const become = (name: string, state: string) =>
    eventually(() => assert.equal(status(name)?.state, state), 15_000);

  async function end(program: CliProcess, signal: NodeJS.Signals = 'SIGTERM') {
    program.kill(signal);
    return program.ended;
  }

  it('runs the services of a JSON file in their order until SIGTERM, and leaves nothing', async () => {
    write({
      web: service('exec sleep 1000', { dependsOn: ['db'] }),
      db: service('sleep 0.2; echo db is up; exec sleep 1000', {
        ready: { pattern: '^db .. up$' },
      }),
    });
    const program = start(file);
    await become('web', 'ready');
    const pid = status('web')?.pid ?? 0;
    assert.equal(hostProcess(pid)?.command, 'sleep');
    const { code, stdout, stderr } = await end(program);
    assert.deepEqual([code, stderr], [0, '']);
    const story = stdout.trim().split('\n');
    const at = (line: string) => {
      assert(story.includes(line), `${line} is not in\n${stdout}`);
      return story.indexOf(line);
    };
    assert(at('web waiting') < at('db ready') && at('db ready') < at('web ready'), stdout);
    assert(at('db | db is up') < at('db ready'), stdout);
    assert(at('web stopped') < at('db stopping'), stdout);
    assert.equal(hostProcess(pid), null);
    assert.equal(status('db')?.state, 'stopped');
  });

  it('starts nothing without the native part, and ends as every other subcommand does', async () => {
    write({ web: service('exec sleep 1000') });
    const program = new CliProcess(['supervise', file], { DRAGONFLY_JAIL_NATIVE: '/nonexistent' });
    programs.push(program);
    const { code, stdout, stderr } = await program.ended;
    assert.deepEqual([code, stdout], [125, '']);
    assert.match(stderr, /^dfjail supervise: The native part of dragonfly-jail/);
    assert(!existsSync(stateFile));
  });

  it('shows what services write line by line, and lets no control character through', async () => {
    write({ evil: service("printf 'title \\033]0;owned\\007\\n'; exit 3", { restart: 'never' }) });
    const { code, stdout } = await start(file).ended;
    assert.equal(code, 1);
    assert.match(stdout, /^evil \| title \\x1b\]0;owned\\x07$/m);
    assert.match(stdout, /^evil failed: it ended with exit code 3$/m);
    assert(!stdout.includes('\x1b'), JSON.stringify(stdout));
  });

  it('prints one document a line with --json', async () => {
    write({ one: service('echo hello', { restart: 'never' }) });
    const { code, stdout } = await start('--json', file).ended;
    assert.equal(code, 0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert(
      lines.some(({ service: name, text }) => name === 'one' && text === 'hello'),
      stdout,
    );
    assert.equal(lines.at(-1)?.state, 'stopped');
    assert.equal(lines.at(-1)?.name, 'one');
  });

  it('--status tells another terminal how things are, by the state file or by the services', async () => {
    write({ web: service('exec sleep 1000') });
    const none = await runDfjail(['supervise', '--status', file]);
    assert.deepEqual([none.code, none.stdout], [1, 'No supervisor has run yet.\n']);
    const program = start(file);
    await become('web', 'ready');
    for (const named of [file, stateFile]) {
      const { code, stdout } = await runDfjail(['supervise', '--status', named]);
      assert.equal(code, 0);
      assert.match(
        stdout,
        new RegExp(`^supervisor ${program.pid} runs\nNAME .*\nweb +ready +\\d+ `),
      );
    }
    await end(program);
    const after = await runDfjail(['supervise', '--status', '--json', stateFile]);
    assert.equal(after.code, 1);
    const { running, services } = JSON.parse(after.stdout);
    assert.deepEqual([running, services[0].state], [false, 'stopped']);
  });

  it('reads the file again at SIGHUP: restarts what has changed, and leaves the rest alone', async () => {
    write({ same: service('exec sleep 1000'), other: service('exec sleep 1000') });
    const program = start(file);
    await become('other', 'ready');
    await become('same', 'ready');
    const pid = status('same')?.pid;
    write({ same: service('exec sleep 1000'), more: service('exec sleep 1001') });
    program.kill('SIGHUP');
    await become('more', 'ready');
    assert.equal(status('other'), undefined);
    assert.equal(status('same')?.pid, pid);
    writeFileSync(file, '{ "services": ');
    program.kill('SIGHUP');
    await eventually(() => assert.match(program.errors, /services\.json is not JSON/), 5000);
    assert.equal(status('more')?.state, 'ready');
    assert.equal((await end(program, 'SIGINT')).code, 0);
  });

  it('--keep lets the services run on, and the next one adopts them', async () => {
    const log = { file: join(root.outside, 'web.log') };
    write({ web: service('echo started; exec sleep 1000', { log }) });
    const first = start('--keep', file);
    await become('web', 'ready');
    const pid = status('web')?.pid ?? 0;
    assert.equal((await end(first)).code, 0);
    assert.equal(hostProcess(pid)?.command, 'sleep');
    const second = start('--keep', file);
    await eventually(() => assert.equal(readState(stateFile)?.pid, second.pid), 10_000);
    await become('web', 'ready');
    assert.equal(status('web')?.pid, pid);
    assert.equal(readFileSync(log.file, 'utf8'), 'started\n');
    assert.equal((await end(second)).code, 0);
  });

  it('runs the jails of an rc.conf: their start and stop programs, in the order of depends', async () => {
    const conf = join(root.outside, 'rc.conf');
    const logs = join(root.outside, 'log');
    mkdirSync(logs);
    writeFileSync(conf, rcConf());
    const program = start('--state', stateFile, '--log-dir', logs, conf);
    await become('web', 'done');
    await become('db', 'done');
    const names = listJails().filter(({ path }) => path === root.path);
    assert.deepEqual(names.map(({ hostname }) => hostname).sort(), ['db.test', 'web.test']);
    const { code, stdout, stderr } = await end(program);
    assert.deepEqual([code, stderr], [0, '']);
    assert(stdout.indexOf('db done') < stdout.indexOf('web starting'), stdout);
    assert(stdout.indexOf('web stopped') < stdout.indexOf('db stopping'), stdout);
    assert.equal(readFileSync(join(logs, 'jail_web_console.log'), 'utf8'), 'started\n');
    assert(existsSync(join(root.path, 'tmp-of-web')), 'exec_stop has not run');
  });

  it('looks after an exec_start that is named with --foreground', async () => {
    const conf = join(root.outside, 'rc.conf');
    writeFileSync(conf, rcConf());
    const program = start(
      '--state',
      stateFile,
      '--log-dir',
      root.outside,
      '--foreground',
      'web',
      conf,
    );
    await become('web', 'stopped');
    await end(program);
    const wrong = await start('--foreground', 'wbe', conf).ended;
    assert.equal(wrong.code, 64);
    assert.match(wrong.stderr, /has no jail wbe\n {2}hint: is it web\?/);
  });

  it('--check finds mistakes and makes nothing', async () => {
    const check = (services: unknown, about: object = {}) => {
      writeFileSync(file, JSON.stringify({ services, ...about }));
      return runDfjail(['supervise', '--check', file]);
    };
    const thin = { jail: { path: join(root.outside, 'thin'), hostname: 'x' }, thin: true };
    const good = await check({
      a: service('true', { dependsOn: ['b'] }),
      b: { ...thin, command: ['x'] },
    });
    assert.deepEqual([good.code, good.stdout], [0, '2 services: b, a\n']);
    assert(!existsSync(join(root.outside, 'thin')));
    const wrong: [unknown, object, RegExp][] = [
      [{ a: service('true', { dependsOn: ['c'] }) }, {}, /dependsOn/],
      [{ a: service('true', { comand: [] }) }, {}, /comand/],
      [{ a: { command: ['true'] } }, {}, /services\.a\.jail/],
      [{ a: service('true', { ready: { pattern: '(' } }) }, {}, /services\.a\.ready\.pattern/],
      [{ a: service('true', { thin: 'yes' }) }, {}, /services\.a\.thin/],
      [{ a: service('true') }, { statefile: '/x' }, /statefile/],
      [{ a: service('true') }, { stateFile: 'x' }, /stateFile/],
      [[], {}, /services/],
    ];
    for (const [services, about, message] of wrong) {
      const { code, stdout, stderr } = await check(services, about);
      assert.deepEqual([code, stdout], [125, ''], stderr);
      assert.match(stderr, message);
    }
  });

  it('ends in order when nobody reads what it says', async () => {
    write({ chatty: service('while :; do echo hello; sleep 0.02; done') });
    const args = ['-c', '"$0" supervise "$1" | head -n 4', dfjailPath, file];
    const shell = spawn('sh', args, {
      env: cliEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [stdout] = await Promise.all([text(shell.stdout), once(shell, 'close')]);
    assert.equal(stdout.trim().split('\n').length, 4);
    await eventually(() => assert.equal(status('chatty')?.state, 'stopped'), 10_000);
  });

  function rcConf(): string {
    const shown = root.mounts.filter(({ type }) => type === 'nullfs');
    const mounts = shown.map(({ source, target }) => `${source}:${target}:ro`).join(' ');
    const jail = (name: string) => `
jail_${name}_rootdir="${root.path}"
jail_${name}_hostname="${name}.test"
jail_${name}_ip="${nextIPv4()}"
jail_${name}_exec_start="/bin/sh -c 'echo started'"
jail_${name}_exec_stop="/bin/sh -c 'echo > /tmp-of-${name}'"
`;
    return `jail_list="web db"\njail_mounts="${mounts}"
${onRealDragonfly ? '' : DEVICES}${jail('web')}jail_web_depends="db"\n${jail('db')}`;
  }
});
