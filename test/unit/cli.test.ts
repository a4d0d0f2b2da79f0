import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { ModelKernel, useModelKernel } from '#internal/backends/model/index.js';
import type { Capabilities } from '#internal/capabilities.js';
import { Jail } from '#internal/index.js';
import type { JailEvent, JailInfo, ProcessInfo } from '#internal/reports.js';
import { CliCall, dfjail, dfjailJson } from '../support/cli.js';
import { eventually } from '../support/environment.js';

const ROOT = '/jails/www';
const HOSTILE = 'evil\x1b[2J\r\u202eroot';

describe('dfjail on a model kernel', () => {
  let kernel: ModelKernel;
  let restore: () => void = () => {};
  let jails: Jail[] = [];

  beforeEach(() => {
    kernel = new ModelKernel();
    kernel.directory(`${ROOT}/dev`);
    kernel.directory('/jails/db');
    kernel.programs.add('/bin/forever', ({ forever }) => forever());
    kernel.programs.add('/bin/exit', ({ argv }) => Number(argv[1]));
    kernel.programs.add('/bin/both', ({ stdout, stderr }) => {
      stdout.write('out\n');
      stderr.write('err\n');
    });
    kernel.programs.add('/bin/cat', async ({ stdin, stdout }) => {
      for await (const chunk of stdin) stdout.write(chunk);
    });
    kernel.programs.add('/bin/polite', async ({ onSignal, stdout }) => {
      stdout.write('ready\n');
      return new Promise((resolve) => onSignal('SIGTERM', () => resolve(9)));
    });
    kernel.programs.add('/bin/rename', ({ process, forever }) => {
      process.sethostname(HOSTILE);
      return forever();
    });
    restore = useModelKernel(kernel);
  });

  afterEach(async () => {
    await Promise.all(jails.map((jail) => jail.stop({ graceMs: 0 })));
    jails = [];
    restore();
  });

  async function make(name: string, addresses: string[] = [], path = ROOT): Promise<Jail> {
    const jail = await Jail.create({ path, hostname: `${name}.test`, name, addresses });
    jails.push(jail);
    return jail;
  }

  async function running(jail: Jail, file: string, args: string[] = []): Promise<void> {
    await once(jail.spawn(file, args), 'spawn');
  }

  describe('ls', () => {
    it('lists jails, all or some, as a table, as JSON or by name', async () => {
      await make('www', ['10.0.0.7', 'fd00::7']);
      await make('db', ['10.0.0.8'], '/jails/db');
      const { stdout, code } = await dfjail(['ls']);
      assert.equal(code, 0);
      assert.match(stdout, /^JID +NAME +STATE +HOSTNAME +ADDRESSES +PATH\n/);
      assert.match(stdout, /1 +www +empty +www\.test +10\.0\.0\.7 fd00::7 +\/jails\/www\n/);
      const all = await dfjailJson<JailInfo[]>(['ls']);
      assert.deepEqual(
        all.map(({ name }) => name),
        ['www', 'db'],
      );
      const quiet = async (...argv: string[]) => (await dfjail(['ls', '-q', ...argv])).stdout;
      assert.equal(await quiet(), 'www\ndb\n');
      assert.equal(await quiet('2'), 'db\n');
      assert.equal(await quiet('--address', 'FD00:0::7'), 'www\n');
      assert.equal(await quiet('--path', '/jails/db/'), 'db\n');
      assert.equal(await quiet('--hostname', 'db.test'), 'db\n');
      assert.equal(await quiet('--hostname', 'nobody'), '');
    });

    it('says what to do when a jail is not there', async () => {
      await make('www');
      const none = await dfjail(['ls', 'web']);
      assert.deepEqual([none.code, none.stdout], [125, '']);
      assert.match(none.stderr, /^dfjail ls: There is no jail "web"\n {2}hint: ‘dfjail ls’/);
      const hostname = await dfjail(['ls', 'www.test']);
      assert.match(hostname.stderr, /that is a hostname/);
    });

    it('shows hostile hostnames and arguments without what a terminal acts on', async () => {
      const jail = await make('www');
      await running(jail, '/bin/rename', ['\x1b]0;title\x07', 'a\nb']);
      await eventually(() => assert.equal(jail.info().hostname, HOSTILE));
      for (const argv of [['ls'], ['ps'], ['top', '--once', '--interval', '100']]) {
        const { stdout } = await dfjail(argv, { terminal: { columns: 200, rows: 50 } });
        const body = stdout.replace(/\x1b\[[0-9]+m/g, '');
        assert.doesNotMatch(body, /[^\n\P{C}]/u, JSON.stringify(body));
        assert.equal(body.split('\n').length, 3, body);
      }
      const { stdout } = await dfjail(['ls']);
      assert.ok(stdout.includes('evil\\x1b[2J\\r\\u{202e}root'), stdout);
    });
  });

  describe('ps', () => {
    it('lists the processes of jails, and of the host when asked', async () => {
      const www = await make('www');
      const db = await make('db', [], '/jails/db');
      await running(www, '/bin/forever', ['one', 'two']);
      await running(db, '/bin/forever');
      const { stdout } = await dfjail(['ps']);
      assert.match(stdout, /^ *JID +PID +INSIDE +USER +STATE +THR +RSS +TIME +TTY +COMMAND\n/);
      assert.match(stdout, /\n *1 .*\/bin\/forever one two\n/);
      const some = await dfjailJson<ProcessInfo[]>(['ps', 'db']);
      assert.deepEqual(
        some.map(({ jid, args }) => [jid, args]),
        [[2, ['/bin/forever']]],
      );
      const all = await dfjailJson<ProcessInfo[]>(['ps', '--all']);
      assert.ok(all.some(({ jid }) => jid === 0));
      assert.ok((await dfjailJson<ProcessInfo[]>(['ps'])).every(({ jid }) => jid > 0));
    });
  });

  describe('tune', () => {
    const capabilities = async (...argv: string[]) =>
      (await dfjailJson<{ capabilities: Partial<Capabilities> }>(['tune', ...argv])).capabilities;

    it('shows and changes the defaults by every name that they have', async () => {
      assert.equal((await capabilities()).setHostname, true);
      assert.deepEqual(await capabilities('allow_raw_sockets'), { rawSockets: false });
      assert.deepEqual(await capabilities('jail.defaults.allow_raw_sockets=1'), {
        rawSockets: true,
      });
      assert.deepEqual(await capabilities('rawSockets'), { rawSockets: true });
      await dfjail(['tune', 'rawSockets=off', 'jail.sysvipc_allowed=yes']);
      const now = await capabilities();
      assert.deepEqual([now.rawSockets, now.sysvIpc], [false, true]);
    });

    it('shows and changes a jail, by its name, its jid or its sysctls', async () => {
      const jail = await make('www');
      assert.deepEqual(await capabilities('www', 'rawSockets=on'), { rawSockets: true });
      assert.equal(jail.capabilities().rawSockets, true);
      await dfjail(['tune', '1', 'net_raw_sockets=0', 'chflags=on']);
      assert.deepEqual(
        [jail.capabilities().rawSockets, jail.capabilities().chflags],
        [false, true],
      );
      await dfjail(['tune', `jail.${jail.jid}.sys_sysvipc=1`]);
      assert.equal(jail.capabilities().sysvIpc, true);
      const { stdout } = await dfjail(['tune', 'www', 'sysvIpc']);
      assert.equal(stdout, 'CAPABILITY  VALUE  SYSCTL\nsysvIpc     on     jail.JID.sys_sysvipc\n');
    });

    it('changes all that was asked for or nothing, and says what was misspelt', async () => {
      const jail = await make('www');
      const wrong = await dfjail(['tune', 'www', 'rawSockets=on', 'rawsocket=on']);
      assert.equal(wrong.code, 64);
      assert.match(wrong.stderr, /did you mean rawSockets\?/);
      assert.equal((await dfjail(['tune', 'www', 'rawSockets=maybe'])).code, 64);
      assert.equal((await dfjail(['tune', 'www', 'jail.7.net_raw_sockets=1'])).code, 64);
      assert.equal(jail.capabilities().rawSockets, false);
    });
  });

  describe('run and exec', () => {
    const run = (...argv: string[]) => dfjail(['run', '-p', ROOT, ...argv]);

    it('exits as the command does, and leaves no jail', async () => {
      assert.equal((await run('/bin/exit', '7')).code, 7);
      assert.equal((await run('/bin/none')).code, 127);
      assert.deepEqual(await dfjailJson(['ls']), []);
    });

    it('passes streams on', async () => {
      const both = await run('/bin/both');
      assert.deepEqual(both, { code: 0, stdout: 'out\n', stderr: 'err\n' });
      const copied = await dfjail(['run', '-p', ROOT, '/bin/cat'], { input: 'some input' });
      assert.equal(copied.stdout, 'some input');
    });

    it('leaves the options of the command alone', async () => {
      const { stdout } = await run('--json', '/bin/exit', '3', '--json', '-h', '--nonsense');
      const { exitCode } = JSON.parse(stdout);
      assert.equal(exitCode, 3);
    });

    it('collects the output for --json', async () => {
      await make('www');
      const { stdout, code } = await dfjail(['exec', '--json', 'www', '/bin/both']);
      assert.equal(code, 0);
      assert.deepEqual(JSON.parse(stdout), {
        jid: 1,
        name: 'www',
        exitCode: 0,
        signal: null,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    it('sends signals on, and no longer listens for them afterwards', async () => {
      await make('www');
      const call = new CliCall(['exec', 'www', '/bin/polite']);
      await eventually(() => assert.equal(call.text, 'ready\n'));
      call.signal('SIGTERM');
      assert.equal((await call.done).code, 9);
      assert.equal(call.listeners, 0);
      const killed = new CliCall(['exec', 'www', '/bin/forever']);
      await eventually(() => assert.equal(jails[0]?.processes().length, 1));
      killed.signal('SIGINT');
      assert.equal((await killed.done).code, 130);
    });

    it('makes the jail that the options describe', async () => {
      const options = [
        '--hostname',
        'h.test',
        '-n',
        'x',
        '--ip',
        '10.0.0.9,fd00::9',
        '--ip',
        '10.0.0.10',
      ];
      const call = new CliCall([
        'run',
        '-p',
        ROOT,
        ...options,
        '--cap',
        'rawSockets',
        '/bin/polite',
      ]);
      await eventually(() => assert.equal(call.text, 'ready\n'));
      const [jail] = await dfjailJson<JailInfo[]>(['ls', 'x']);
      assert.deepEqual([jail?.hostname, jail?.path], ['h.test', ROOT]);
      const addresses = jail?.addresses.map(({ address }) => address);
      assert.deepEqual(addresses, ['10.0.0.9', 'fd00::9', '10.0.0.10']);
      assert.match((await dfjail(['tune', 'x', 'rawSockets'])).stdout, /rawSockets +on/);
      call.signal('SIGTERM');
      await call.done;
    });

    it('refuses what cannot be meant, before anything is done', async () => {
      for (const argv of [
        ['run', '--limit', 'nofiles=3', 'true'],
        ['run', '--limit', 'nofile=3z', 'true'],
        ['run', '--mount', 'ufs:/a:/b', 'true'],
        ['run', '--mount', 'nullfs:/a:/b:rx', 'true'],
        ['run', '--cap', 'flying', 'true'],
        ['run', '--log', '/tmp/x', 'true'],
        ['run', '-t', '-T', 'true'],
        ['run', '-p', ROOT, '--include', '/opt', 'true'],
        ['exec'],
        ['exec', '--usr', 'x', 'www', 'true'],
        ['watch', '-n', '0'],
        ['top', '--sort', 'age'],
        ['ls', '--path'],
        ['completion', 'fish'],
        ['runn'],
        [],
      ]) {
        const { code, stdout, stderr } = await dfjail(argv);
        assert.deepEqual([code, stdout], [64, ''], argv.join(' '));
        assert.match(stderr, /^dfjail.*: .+\n {2}hint: .+\n$/, argv.join(' '));
      }
    });
  });

  describe('watch', () => {
    it('tells of jails as they come and go', async () => {
      const call = new CliCall(['watch', '-n', '2', '--interval', '10', '--json']);
      await eventually(() => assert.ok(call.listeners > 0));
      const jail = await make('www');
      await eventually(() => assert.match(call.text, /created/));
      await jail.stop();
      const { code, stdout } = await call.done;
      const events: JailEvent[] = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        events.map(({ type, jail: { name } }) => [type, name]),
        [
          ['created', 'www'],
          ['removed', 'www'],
        ],
      );
      assert.equal(code, 0);
    });

    it('ends when it is interrupted, with the code of the signal', async () => {
      const call = new CliCall(['watch']);
      await eventually(() => assert.ok(call.listeners > 0));
      call.signal('SIGINT');
      assert.equal((await call.done).code, 130);
      assert.equal(call.listeners, 0);
    });
  });

  describe('top', () => {
    it('shows what jails use, once', async () => {
      await running(await make('www'), '/bin/forever');
      await make('db', [], '/jails/db');
      const { jails: rows } = await dfjailJson<{ jails: { name: string; processes: number }[] }>([
        'top',
        '--interval',
        '100',
        '--sort',
        'processes',
      ]);
      assert.deepEqual(
        rows.map(({ name, processes }) => [name, processes]),
        [
          ['www', 1],
          ['db', 0],
        ],
      );
      const { stdout } = await dfjail(['top', '--once', '--interval', '100', '-s', 'name']);
      assert.match(stdout, /^JID .*CPU% .*\n.* db .*\n.* www .*\n$/);
    });

    it('is live on a terminal: sorts by keys, follows its size, ends with q', async () => {
      await running(await make('www'), '/bin/forever');
      await make('db', [], '/jails/db');
      const terminal = { columns: 64, rows: 10 };
      const call = new CliCall(['top', '--interval', '100'], { terminal });
      const order = () =>
        call.text
          .split('\x1b[H')
          .at(-1)
          ?.match(/www|db/g);
      await eventually(() => assert.match(call.text, /by cpu/));
      assert.equal(call.stdin.raw, true);
      call.stdin.write('n');
      await eventually(() => assert.deepEqual(order()?.slice(0, 2), ['db', 'db']));
      call.stdin.write('r');
      await eventually(() => assert.equal(order()?.[0], 'www'));
      Object.assign(call.stdout, { columns: 30, rows: 4 });
      call.stdout.emit('resize');
      const screen = call.text.split('\x1b[H').at(-1) ?? '';
      const lines = screen.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').split('\r\n');
      assert.equal(lines.length, 4);
      for (const line of lines) assert.ok(line.length <= 30, line);
      call.stdin.write('q');
      const { code, stdout } = await call.done;
      assert.equal(code, 0);
      assert.equal(call.stdin.raw, false);
      assert.ok(stdout.endsWith('\x1b[?25h\x1b[?1049l'), 'the screen is given back');
      assert.equal(call.listeners, 0);
    });

    it('gives the terminal back when it is told to end', async () => {
      const call = new CliCall(['top'], { terminal: { columns: 80, rows: 24 } });
      await eventually(() => assert.equal(call.stdin.raw, true));
      call.signal('SIGTERM');
      const { code, stdout } = await call.done;
      assert.equal(code, 143);
      assert.equal(call.stdin.raw, false);
      assert.ok(stdout.endsWith('\x1b[?1049l'));
    });
  });

  it('plan tells the steps and changes nothing', async () => {
    const { stdout, code } = await dfjail(['plan', '-p', ROOT, '--ip', '10.0.0.7']);
    assert.equal(code, 0);
    assert.match(stdout, /^ +1 /);
    assert.match(stdout, /undo: /);
    const steps = await dfjailJson<{ step: string }[]>(['plan', '-p', ROOT, '--ip', '10.0.0.7']);
    assert.ok(steps.length > 3);
    assert.deepEqual(await dfjailJson(['ls']), []);
    const misread = await dfjail(['plan', '/no/such/dir', 'host', '10.0.0.7']);
    assert.match(misread.stderr, /a PATH that exists/);
  });

  it('probe tells why something cannot be done', async () => {
    const { stdout } = await dfjail(['probe']);
    assert.match(stdout, /^backend {3}model\nrelease/);
    const { backend } = await dfjailJson<{ backend: string }>(['probe']);
    assert.equal(backend, 'model');
  });

  it('probe has what a bug report needs, without secrets', async () => {
    const env = { DRAGONFLY_JAIL_NATIVE: '/no/such/folder', TOKEN: 'a-secret' };
    const { stdout } = await dfjail(['probe'], { env });
    const { report } = JSON.parse((await dfjail(['probe', '--json'], { env })).stdout);
    const { version } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    );
    assert.equal(report.package.version, version);
    assert.equal(report.node.version, process.version);
    assert.equal(report.system.release, release());
    assert.equal(report.user.uid, process.geteuid?.());
    assert.deepEqual(report.native.places, [
      {
        folder: '/no/such/folder',
        what: 'named by DRAGONFLY_JAIL_NATIVE',
        problem: 'there is no jail.node',
      },
    ]);
    assert.ok(report.limits.open_files.soft > 0);
    for (const wanted of [version, process.version, release(), report.system.tuple]) {
      assert.ok(stdout.includes(wanted), wanted);
    }
    assert.match(stdout, /\/no\/such\/folder \(named by .*\): there is no jail\.node/);
    assert.doesNotMatch(stdout + JSON.stringify(report), /a-secret/);
  });

  it('probe tells which of several native parts is loaded', async () => {
    const { report } = JSON.parse((await dfjail(['probe', '--json'])).stdout);
    const loaded = report.native.places.filter(
      ({ problem }: { problem: unknown }) => problem === null,
    );
    assert.equal(loaded.length, 1, JSON.stringify(report.native));
  });

  it('errors are JSON with --json, wherever they come from', async () => {
    for (const [argv, code, wanted] of [
      [['ls', 'nobody', '--json'], 125, 'ERR_JAIL_NOT_FOUND'],
      [['exec', '--json', 'nobody', 'true'], 125, 'ERR_JAIL_NOT_FOUND'],
      [['run', '--json', '-p', '/nowhere', 'true'], 125, 'ENOENT'],
      [['ls', '--jsn', '--json'], 64, 'ERR_USAGE'],
      [['lss', '--json'], 64, 'ERR_USAGE'],
    ] as const) {
      const result = await dfjail(argv);
      assert.deepEqual([result.code, result.stdout], [code, ''], argv.join(' '));
      const { error } = JSON.parse(result.stderr);
      assert.equal(error.code, wanted);
      assert.equal(typeof error.message, 'string');
      assert.equal(typeof error.hint, 'string', argv.join(' '));
    }
  });

  it('colours are for terminals that want them', async () => {
    await make('www');
    const terminal = { columns: 80, rows: 24 };
    const coloured = async (env: Record<string, string>, tty = true) =>
      (await dfjail(['ls'], { env, ...(tty && { terminal }) })).stdout.includes('\x1b[');
    assert.equal(await coloured({ TERM: 'xterm' }), true);
    assert.equal(await coloured({ TERM: 'xterm', NO_COLOR: '' }), true);
    assert.equal(await coloured({ TERM: 'xterm', NO_COLOR: '1' }), false);
    assert.equal(await coloured({ TERM: 'dumb' }), false);
    assert.equal(await coloured({ TERM: 'xterm' }, false), false);
  });

  it('tables are as wide as the terminal, and whole where there is none', async () => {
    const hostname = `${'long-'.repeat(20)}name`;
    const jail = await Jail.create({ path: ROOT, hostname, name: 'www' });
    jails.push(jail);
    const { stdout } = await dfjail(['ls'], {
      terminal: { columns: 50, rows: 9 },
      env: { NO_COLOR: '1' },
    });
    const lines = stdout.trimEnd().split('\n');
    assert.ok(
      lines.every((line) => line.length <= 50),
      stdout,
    );
    assert.match(stdout, /long-lo.*…/);
    assert.ok((await dfjail(['ls'])).stdout.includes(hostname));
  });
});
