import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  KernelHang,
  ModelKernel,
  type ModelKernelOptions,
  useModelKernel,
} from '#internal/backends/model/index.js';
import {
  findJails,
  Jail,
  type JailCreateMessage,
  JailError,
  type JailStopMessage,
  type JailSystemError,
  listJails,
  listProcesses,
  probe,
  recover,
} from '#internal/index.js';
import { jailBy } from '../support/recordings.js';

const ROOT = '/jails/www';

describe('Jail on a model kernel', () => {
  let kernel: ModelKernel;
  let restore: () => void = () => {};

  function use(options: ModelKernelOptions = {}): void {
    restore();
    kernel = new ModelKernel(options);
    kernel.directory(`${ROOT}/dev`);
    kernel.directory(`${ROOT}/usr`);
    kernel.directory('/usr/local');
    addPrograms(kernel);
    restore = useModelKernel(kernel);
  }

  beforeEach(() => use());
  afterEach(() => restore());

  // Without the file system of the root directory.
  const mountRows = () => kernel.host.getfsstat().filter(({ on }) => on !== '/');

  const code = (expected: string, step?: string) => (error: unknown) => {
    assert.ok(error instanceof JailError, String(error));
    assert.equal(error.code, expected);
    if (step !== undefined) assert.equal((error as JailSystemError).step, step);
    return true;
  };

  it('is created, listed, used and stopped', async () => {
    const addresses = ['10.0.0.7', 'fd00::7', '10.0.0.8'];
    const jail = await Jail.create({ path: ROOT, hostname: 'www.test', name: 'www', addresses });
    assert.deepEqual(
      jail.info().addresses.map(({ address }) => address),
      addresses,
    );
    assert.deepEqual(
      { ...jail.info(), addresses: [] },
      {
        jid: 1,
        name: 'www',
        hostname: 'www.test',
        path: ROOT,
        addresses: [],
        state: 'empty',
        confirmed: true,
        owned: true,
      },
    );
    const { stdout, exitCode } = await jail.exec('echo', ['hello', 'jail']);
    assert.deepEqual([stdout, exitCode], ['hello jail\n', 0]);
    assert.equal(findJails({ address: 'FD00::7' }).length, 1);
    await jail.stop();
    assert.deepEqual(listJails(), []);
    assert.throws(() => jail.info(), code('ERR_JAIL_NOT_FOUND'));
  });

  it('has streams, exit codes, an environment and a working directory', async () => {
    await using jail = await Jail.create({ path: ROOT, hostname: 'h' });
    const { stdout } = await jail.exec('/bin/cat', { input: 'some input' });
    assert.equal(stdout, 'some input');
    const options = { env: { A: '1' }, cwd: '/usr' };
    const told = JSON.parse(String((await jail.exec('/bin/env', options)).stdout));
    assert.deepEqual([told.env.A, told.cwd, told.jailed], ['1', '/usr', 1]);
    const failed = await jail.exec('/bin/false');
    assert.deepEqual([failed.exitCode, failed.stderr], [3, 'no\n']);
    const thrown = await jail.exec('/bin/throw');
    assert.equal(thrown.exitCode, 1);
    assert.match(String(thrown.stderr), /broken/);
  });

  it('commands can be signalled, and say so when they cannot be run', async () => {
    await using jail = await Jail.create({ path: ROOT, hostname: 'h' });
    const sleeper = jail.spawn('/bin/sleep');
    await once(sleeper, 'spawn');
    assert.equal(jail.processes().length, 1);
    assert.equal(jail.processes()[0]?.pid, sleeper.pid);
    assert.deepEqual(jail.processes()[0]?.args, ['/bin/sleep']);
    assert.ok(listProcesses().some(({ pid, jid }) => pid === sleeper.pid && jid === jail.jid));
    assert.equal(jail.info().state, 'running');
    sleeper.kill('SIGUSR1'); // another number on DragonFly than here
    const { signal } = await sleeper.exited;
    assert.equal(signal, 'SIGUSR1');
    const polite = jail.spawn('/bin/polite');
    await delay(10);
    assert.equal(jail.signal('SIGTERM'), 1);
    assert.equal((await polite.exited).exitCode, 7);
    await assert.rejects(jail.exec('/bin/none'), code('ENOENT', 'exec'));
    await assert.rejects(jail.exec('echo', { cwd: '/none' }), code('ENOENT', 'cwd'));
    await assert.rejects(jail.exec('echo', { user: 'nobody' }), code('ERR_JAIL_UNKNOWN_USER'));
  });

  it('users are those of the jail', async () => {
    kernel.file(`${ROOT}/etc/passwd`, 'root:*:0:0::/root:/bin/sh\nwww:*:80:80::/usr:/bin/sh\n');
    kernel.file(`${ROOT}/etc/group`, 'www:*:80:\nlog:*:90:\n');
    await using jail = await Jail.create({ path: ROOT, hostname: 'h' });
    const run = async (options: object) =>
      JSON.parse(String((await jail.exec('/bin/env', options)).stdout));
    const plain = await run({ user: 'www', group: 'log' });
    assert.deepEqual([plain.uid, plain.gid, plain.cwd], [80, 90, '/']);
    const login = await run({ user: 'www', login: true });
    assert.deepEqual([login.env.HOME, login.env.USER, login.cwd], ['/usr', 'www', '/usr']);
  });

  it('what is in a jail ends with it: asked first, then killed', async () => {
    const jail = await Jail.create({ path: ROOT, hostname: 'h' });
    const polite = jail.spawn('/bin/polite');
    const stubborn = jail.spawn('/bin/stubborn');
    await Promise.all([once(polite, 'spawn'), once(stubborn, 'spawn')]);
    await delay(10);
    await jail.stop({ graceMs: 50 });
    assert.equal((await polite.exited).exitCode, 7);
    assert.equal((await stubborn.exited).signal, 'SIGKILL');
    assert.deepEqual(kernel.jails, []);
    assert.throws(() => jail.spawn('/bin/echo'), code('ERR_JAIL_STOPPED'));
  });

  it('a jailed kill of everything ends the commands, not the jail', async () => {
    await using jail = await Jail.create({ path: ROOT, hostname: 'h' });
    const sleeper = jail.spawn('/bin/sleep');
    await once(sleeper, 'spawn');
    const { exitCode, stderr } = await jail.exec('/bin/killall');
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.equal((await sleeper.exited).signal, 'SIGKILL');
    assert.equal(jail.info().state, 'empty');
    assert.equal((await jail.exec('echo', ['still', 'here'])).stdout, 'still here\n');
  });

  it('addresses become aliases for its life, except those that were there', async () => {
    const lo = kernel.network.interfaces.get('lo0') ?? assert.fail();
    lo.addresses.push('10.0.0.7');
    const before = [...lo.addresses];
    const spec = { path: ROOT, hostname: 'h', addresses: ['10.0.0.7', '10.0.0.8', 'fd00::8'] };
    const jail = await Jail.create({ ...spec, interface: 'lo0' });
    assert.deepEqual(lo.addresses, [...before, '10.0.0.8', 'fd00::8']);
    await jail.stop();
    assert.deepEqual(lo.addresses, before);
    const nowhere = Jail.create({ ...spec, interface: 'em9' });
    await assert.rejects(nowhere, code('ENXIO', 'address'));
  });

  it('mounts are made in order and taken back, links on the way are refused', async () => {
    const spec = {
      path: ROOT,
      hostname: 'h',
      mounts: [
        { type: 'nullfs', source: '/usr', target: '/usr', readOnly: true },
        { type: 'devfs', target: '/dev' },
      ],
    } as const;
    const jail = await Jail.create(spec);
    const mounted = mountRows().map(({ type, flags }) => [type, flags]);
    assert.deepEqual(mounted, [
      ['null', 1],
      ['devfs', 0],
      ['null', 8],
    ]);
    assert.equal((await jail.exec('/bin/stat', ['/usr/local'])).stdout, 'directory');
    await jail.stop();
    assert.deepEqual(mountRows(), []);
    kernel.host.symlink('/usr', `${ROOT}/link`);
    const linked = Jail.create({ ...spec, mounts: [{ type: 'tmpfs', target: '/link' }] });
    await assert.rejects(linked, code('ELOOP', 'mount'));
  });

  it('mounts from inside do not keep it from ending', async () => {
    const capabilities = { mountTmpfs: true };
    const jail = await Jail.create({ path: ROOT, hostname: 'h', capabilities });
    assert.equal((await jail.exec('/bin/mount', ['/usr'])).exitCode, 0);
    assert.equal(mountRows().length, 1);
    await jail.stop();
    assert.deepEqual([mountRows(), kernel.jails], [[], []]);
  });

  it('mounts from inside are found wherever they are, whatever they cover', async () => {
    const long = `/${'x'.repeat(100)}/${'y'.repeat(100)}`;
    for (const path of [long, '/tmp']) kernel.directory(`${ROOT}${path}`);
    const jail = await Jail.create({
      path: ROOT,
      hostname: 'h',
      capabilities: { mountTmpfs: true, mountNullfs: true },
      mounts: [{ type: 'tmpfs', target: '/tmp' }],
    });
    for (const path of [long, long, '/tmp', '/']) {
      assert.equal((await jail.exec('/bin/mount', [path])).exitCode, 0, path);
    }
    await jail.stop();
    assert.deepEqual([mountRows(), kernel.jails], [[], []]);
  });

  it('what else holds it is told, and stop() can be called again', async () => {
    const jail = await Jail.create({ path: ROOT, hostname: 'h' });
    const visitor = kernel.host.fork();
    visitor.jailAttach(jail.jid);
    const held = kernel.host.receive(visitor, visitor.open('/'));
    await assert.rejects(jail.stop({ graceMs: 0 }), code('EBUSY', 'release'));
    assert.equal(listJails()[0]?.state, 'stopping');
    kernel.host.wait(visitor.pid);
    kernel.host.close(held);
    await jail.stop();
    assert.deepEqual(listJails(), []);
  });

  it('what DragonFly cannot take away is refused, not left out', async () => {
    const refused = { code: 'ERR_JAIL_UNSUPPORTED' };
    for (const what of [{ readOnly: true }, { noNewPrivileges: true }]) {
      assert.throws(() => Jail.plan({ path: ROOT, hostname: 'h', ...what }), refused);
      await assert.rejects(Jail.create({ path: ROOT, hostname: 'h', ...what }), refused);
    }
    const jail = await Jail.create({ path: ROOT, hostname: 'h' });
    await assert.rejects(jail.exec('/bin/true', [], { noNewPrivileges: true }), refused);
    await jail.stop();
  });

  it('roots must be directories', async () => {
    kernel.file('/jails/file');
    for (const [path, error] of [
      ['/jails/none', 'ENOENT'],
      ['/jails/file', 'ENOTDIR'],
    ] as const) {
      await assert.rejects(Jail.create({ path, hostname: 'h' }), code(error, 'root'));
    }
  });

  it('capabilities are written for each jail, the kernel’s defaults stay', async () => {
    await using jail = await Jail.create({
      path: ROOT,
      hostname: 'h',
      capabilities: { rawSockets: true },
    });
    assert.deepEqual([...(kernel.prisons.find(jail.jid)?.capabilities ?? [])].sort(), [
      'rawSockets',
      'setHostname',
      'unixIpRouteOnly',
    ]);
    assert.equal(kernel.template.size, 0);
    jail.setCapabilities({ rawSockets: false, chflags: true });
    assert.deepEqual([jail.capabilities().rawSockets, jail.capabilities().chflags], [false, true]);
  });

  it('what a release cannot do is refused', async () => {
    const make = (capabilities: object) => Jail.create({ path: ROOT, hostname: 'h', capabilities });
    const unsupported = code('ERR_JAIL_UNSUPPORTED');
    await assert.rejects(make({ setHostname: false }), unsupported);
    await assert.rejects(make({ mountDevfs: true }), unsupported);
    const limited = Jail.create({ path: ROOT, hostname: 'h', limits: { memory: 1000 } });
    await assert.rejects(limited, unsupported);
    use({ version: '6.x' });
    const six = await make({ setHostname: false, mountDevfs: true });
    assert.equal(six.capabilities().mountDevfs, true);
    await six.stop();
    use({ version: '5.6' });
    await assert.rejects(make({ rawSockets: true }), unsupported);
    const old = await make({});
    assert.equal(old.capabilities().setHostname, true);
    await old.stop();
    assert.equal(probe().release, '5.6-RELEASE');
  });

  it('jails above 99,999 have no nodes, and none of another jail is written', async () => {
    kernel.prisons.setLastJid(12_344);
    await using low = await Jail.create({ path: ROOT, hostname: 'low' });
    kernel.prisons.setLastJid(123_449);
    const make = Jail.create({ path: ROOT, hostname: 'high' });
    await assert.rejects(make, code('ERR_JAIL_UNSUPPORTED')); // the kernel's defaults are all off
    assert.equal(kernel.jails.length, 1);
    kernel.template.add('setHostname').add('unixIpRouteOnly');
    await using high = await Jail.create({ path: ROOT, hostname: 'high' });
    assert.equal(high.jid, 123_451);
    assert.equal(high.capabilities().setHostname, true);
    assert.throws(() => high.setCapabilities({ chflags: true }), code('ERR_JAIL_UNSUPPORTED'));
    assert.deepEqual([...(kernel.prisons.find(low.jid)?.capabilities ?? [])].length, 2);
    assert.equal(high.info().confirmed, true);
  });

  it('a list that would break for everybody is not made', async () => {
    const addresses = Array.from({ length: 60 }, (_, index) => `fd00::1:2:3:4:${index + 16}`);
    const make = Jail.create({ path: ROOT, hostname: 'h', addresses });
    await assert.rejects(make, code('ERR_JAIL_LIMIT'));
  });

  it('an address that jails share goes with the last of them', async () => {
    const spec = { path: ROOT, hostname: 'h', interface: 'lo0', addresses: ['10.0.0.7'] };
    const [one, two] = [await Jail.create(spec), await Jail.create(spec)];
    await one.stop();
    assert.ok(kernel.network.has('10.0.0.7'));
    await two.stop();
    assert.ok(!kernel.network.has('10.0.0.7'));
  });

  it('jails are still found when one of them breaks the list for everybody', async () => {
    const addresses = Array.from({ length: 28 }, (_, index) => `fd00::1:2:${index + 1}`);
    const jail = await Jail.create({ path: ROOT, hostname: 'h', addresses });
    const foreign = kernel.host.fork();
    jailBy(foreign, 'foreign', ROOT, []);
    const [, before] = listJails();
    assert.equal(before?.hostname, 'foreign');
    const inmate = kernel.host.fork();
    inmate.jailAttach(jail.jid);
    inmate.sethostname('x'.repeat(255));
    const hog = kernel.host.fork();
    jailBy(
      hog,
      'hog',
      ROOT,
      Array.from({ length: 150 }, () => '10.200.200.200'),
    );
    assert.throws(() => kernel.host.sysctl('jail.list'), { code: 'ERANGE' });
    const [own, other, third] = listJails();
    assert.deepEqual([own?.jid, own?.confirmed, own?.path], [jail.jid, true, ROOT]);
    assert.deepEqual([other?.jid, other?.confirmed, other?.hostname], [foreign.jid, false, '']);
    assert.equal(third?.jid, hog.jid);
    for (const process of [inmate, hog, foreign]) {
      process.exit(0);
      kernel.host.wait(process.pid);
    }
    await jail.stop();
  });

  it('paths leave room for the hostname that a jail may give itself', async () => {
    const path = (bytes: number) =>
      `/${'d/'.repeat((bytes - 1) / 2)}`.slice(0, -1).padEnd(bytes, 'e');
    for (const bytes of [760, 761]) kernel.directory(path(bytes));
    const jail = await Jail.create({ path: path(760), hostname: 'h' });
    await jail.stop();
    await assert.rejects(Jail.create({ path: path(761), hostname: 'h' }), code('ERR_JAIL_LIMIT'));
  });

  it('each step is told with its time, by the names of the plan', async () => {
    const told: (JailCreateMessage | JailStopMessage)[] = [];
    const hear = (message: unknown) => void told.push(message as JailCreateMessage);
    for (const what of ['create', 'stop']) subscribe(`dragonfly-jail:${what}`, hear);
    try {
      const asked = {
        path: ROOT,
        hostname: 'www',
        interface: 'lo0',
        addresses: ['10.0.0.7', 'fd00::7'],
      };
      await (await Jail.create(asked)).stop();
      const [created, stopped] = told.map(({ steps }) => steps.map(({ step }) => step));
      const planned = Jail.plan(asked).map(({ step }) => step);
      assert.deepEqual(created, planned);
      assert.deepEqual(stopped, ['signal', 'kill', 'release', 'register']);
    } finally {
      for (const what of ['create', 'stop']) unsubscribe(`dragonfly-jail:${what}`, hear);
    }
  });

  it('names belong to one jail, and open it', async () => {
    await using jail = await Jail.create({ path: ROOT, hostname: 'h', name: 'www' });
    const again = Jail.create({ path: ROOT, hostname: 'h', name: 'www' });
    await assert.rejects(again, code('ERR_JAIL_EXISTS'));
    const other = await Jail.open('www');
    assert.deepEqual([other.jid, other.owned, other.name], [jail.jid, false, 'www']);
    const command = other.spawn('/bin/sleep');
    await once(command, 'spawn');
    command.on('error', () => {});
    await other[Symbol.asyncDispose]();
    await assert.rejects(command.exited, code('ERR_JAIL_STOPPED'));
    assert.equal(jail.processes().length, 0);
    await assert.rejects(Jail.open('none'), code('ERR_JAIL_NOT_FOUND'));
    await assert.rejects(Jail.open(77), code('ERR_JAIL_NOT_FOUND'));
  });

  it('a persistent jail lives on, and gives its commands to whoever opens it', async () => {
    const spec = { path: ROOT, hostname: 'h', name: 'www', persist: true };
    const maker = await Jail.create(spec);
    const sleeper = maker.spawn('/bin/polite');
    await once(sleeper, 'spawn');
    await delay(10);
    const other = await Jail.open('www');
    const [adopted] = other.commands();
    assert.ok(adopted !== undefined);
    assert.equal(adopted.pid, sleeper.pid);
    adopted.kill();
    assert.deepEqual((await adopted.exited).exitCode, 7);
    await other[Symbol.asyncDispose]();
    assert.equal(listJails().length, 1);
    await maker.stop();
    assert.equal(listJails().length, 0);
  });

  it('a jail of somebody else is entered by its number', async () => {
    const foreign = kernel.host.fork();
    const jid = jailBy(foreign, 'foreign', ROOT, ['10.0.0.1']);
    const jail = await Jail.open(jid);
    assert.deepEqual(jail.info().confirmed, true);
    assert.equal((await jail.exec('echo', ['hi'])).stdout, 'hi\n');
    const ended = once(jail, 'exit');
    const stopped = jail.stop({ graceMs: 0 });
    await delay(5);
    kernel.host.wait(foreign.pid); // a zombie holds its jail
    await stopped;
    await ended;
    assert.deepEqual(kernel.jails, []);
  });

  it('rows that a jail has forged are not believed', async () => {
    await using jail = await Jail.create({ path: ROOT, hostname: 'h' });
    await using other = await Jail.create({ path: '/usr', hostname: 'other' });
    await jail.exec('/bin/hostname', ['evil /x\n77 root /etc']);
    await other.exec('/bin/hostname', ['fine']);
    const infos = listJails();
    assert.deepEqual(
      infos.map(({ jid, path, confirmed }) => [jid, path, confirmed]),
      [
        [jail.jid, ROOT, true], // from our own books
        [other.jid, '/usr', true],
        [77, `/etc ${ROOT}`, false],
      ],
    );
    assert.equal(infos[1]?.hostname, 'fine');
  });

  it('an aborted creation leaves nothing', async () => {
    const controller = new AbortController();
    const making = Jail.create({ path: ROOT, hostname: 'h' }, { signal: controller.signal });
    controller.abort();
    await assert.rejects(making, { name: 'AbortError' });
    assert.deepEqual(kernel.jails, []);
  });

  it('programs can bind and connect', async () => {
    kernel.network.interfaces.get('lo0')?.addresses.push('10.0.0.7', '10.0.0.8');
    await using jail = await Jail.create({ path: ROOT, hostname: 'h', addresses: ['10.0.0.7'] });
    const bind = async (address: string) => (await jail.exec('/bin/bind', [address])).stdout;
    assert.equal(await bind('10.0.0.7'), 'ok');
    assert.equal(await bind('127.0.0.1'), 'ok');
    assert.equal(await bind('10.0.0.8'), 'EINVAL');
  });

  it('what could not be taken back is left for recover()', async () => {
    kernel.faults.inject({ call: 'unmount', errno: 'EIO', forever: true });
    const mounts = [{ type: 'tmpfs', target: '/usr' }] as const;
    const jail = await Jail.create({ path: ROOT, hostname: 'h', mounts });
    await assert.rejects(jail.stop(), code('EIO', 'mount'));
    const [first] = await recover();
    assert.equal(first?.failed[0]?.error.code, 'EIO');
    kernel.faults.forget();
    const [second] = await recover();
    assert.deepEqual([second?.undone, second?.failed], [['unmounted /usr'], []]);
    assert.deepEqual([mountRows(), await recover()], [[], []]);
  });

  it('the example of the documentation', async () => {
    kernel.programs.add('/bin/hello', ({ stdout, argv }) => {
      stdout.write(`hello ${argv[1]}\n`);
    });
    const jail = await Jail.create({ path: ROOT, hostname: 'www' });
    const { stdout } = await jail.exec('/bin/hello', ['world']);
    assert.equal(stdout, 'hello world\n');
    await jail.stop();
  });

  it('on two processors a refused hostname stops every later one, as it does there', () => {
    use({ cpus: 2 });
    const inside = kernel.host.fork();
    jailBy(inside, 'h', ROOT);
    assert.throws(() => inside.sethostname('x'), { code: 'EPERM' });
    assert.throws(() => kernel.host.sethostname('y'), KernelHang);
    use({ cpus: 2, version: '6.x' });
    const other = kernel.host.fork();
    jailBy(other, 'h', ROOT);
    assert.throws(() => other.sethostname('x'), { code: 'EPERM' });
    kernel.host.sethostname('y');
    assert.equal(kernel.host.gethostname(), 'y');
  });

  it('everything is as before when the model is put away', () => {
    assert.equal(probe().backend, 'model');
    restore();
    assert.notEqual(probe().backend, 'model');
  });
});

function addPrograms(kernel: ModelKernel): void {
  kernel.programs
    .add('/bin/echo', ({ argv, stdout }) => void stdout.write(`${argv.slice(1).join(' ')}\n`))
    .add('/bin/cat', async ({ stdin, stdout }) => {
      for await (const chunk of stdin) stdout.write(chunk);
    })
    .add('/bin/env', ({ env, cwd, process, stdout }) => {
      const { uid, gid } = process.entry.credential;
      const jailed = process.sysctl('jail.jailed').bytes[0];
      stdout.write(JSON.stringify({ env, cwd, uid, gid, jailed }));
    })
    .add('/bin/false', ({ stderr }) => {
      stderr.write('no\n');
      return 3;
    })
    .add('/bin/throw', () => {
      throw new Error('broken');
    })
    .add('/bin/sleep', ({ forever }) => forever())
    .add('/bin/polite', (context) => {
      return new Promise((resolve) => context.onSignal('SIGTERM', () => resolve(7)));
    })
    .add('/bin/stubborn', (context) => {
      context.onSignal('SIGTERM', () => {});
      return context.forever();
    })
    .add('/bin/killall', ({ process }) => void process.kill(-1, 9))
    .add('/bin/stat', ({ process, argv, stdout }) => {
      stdout.write(process.stat(argv[1] ?? '').kind);
    })
    .add('/bin/mount', ({ process, argv }) => void process.mount('tmpfs', argv[1] ?? ''))
    .add('/bin/hostname', ({ process, argv }) => process.sethostname(argv[1] ?? ''))
    .add('/bin/bind', ({ process, argv, stdout }) => {
      const fd = process.socket(2, 1);
      try {
        process.bind(fd, { family: 'inet', address: argv[1] ?? '', port: 8080 });
        stdout.write('ok');
      } catch (error) {
        stdout.write(String((error as NodeJS.ErrnoException).code));
      }
    });
}
