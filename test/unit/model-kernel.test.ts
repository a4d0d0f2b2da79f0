import assert from 'node:assert/strict';
import { once } from 'node:events';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import {
  type KernelError,
  KernelHang,
  ModelKernel,
  type ModelProcess,
  useModelKernel,
} from '#internal/backends/model/index.js';
import { Jail, listJails, recover } from '#internal/index.js';
import { jailBy } from '../support/recordings.js';

const { SIGKILL = 9, SIGTERM = 15 } = layout59.signals;
const { inet } = layout59.families;
const MNT_FORCE = 0x80000;

describe('the model of the kernel', () => {
  let kernel: ModelKernel;
  let host: ModelProcess;

  beforeEach(() => {
    kernel = new ModelKernel();
    kernel.directory('/jail');
    ({ host } = kernel);
  });

  const code = (expected: string) => (error: KernelError) => error.code === expected;

  function jailed(hostname = 'h'): ModelProcess {
    const child = host.fork();
    jailBy(child, hostname);
    return child;
  }

  describe('mounts', () => {
    it('cuts a name at 79 bytes, and cannot be found by it', () => {
      const path = `/${'x'.repeat(90)}`;
      kernel.directory(path);
      host.mount('tmpfs', path);
      const [row] = host.getfsstat().filter(({ type }) => type === 'tmpfs');
      assert.equal(row?.on, path.slice(0, 79));
      assert.throws(() => host.unmount(row?.on ?? '', MNT_FORCE), code('ENOENT'));
      host.unmount(path);
    });

    it('has nothing mounted in devfs and procfs, and all else lies on each other', () => {
      kernel.directory('/jail/a');
      kernel.directory('/src');
      for (const type of ['devfs', 'procfs']) {
        host.mount(type, '/jail/a');
        for (const other of ['devfs', 'procfs', 'tmpfs']) {
          assert.throws(() => host.mount(other, '/jail/a'), code('EPERM'));
        }
        assert.throws(() => host.mount('null', '/jail/a', 0, '/src'), code('EPERM'));
        host.unmount('/jail/a');
      }
      host.mount('tmpfs', '/jail/a');
      host.mount('tmpfs', '/jail/a');
      host.mount('null', '/jail/a', 0, '/src');
      const types = () => kernel.mounts.all.map(({ type }) => type);
      assert.deepEqual(types(), ['tmpfs', 'tmpfs', 'null']);
      host.unmount('/jail/a');
      assert.deepEqual(types(), ['tmpfs', 'tmpfs']);
    });

    it('shows a jail the mount that its root lies in as its root', () => {
      kernel.directory('/t');
      host.mount('tmpfs', '/t');
      host.create('/t/root', 'directory');
      const child = host.fork();
      jailBy(child, 'h', '/t/root');
      assert.deepEqual(
        child.getfsstat().map(({ type, on }) => `${type} ${on}`),
        ['tmpfs /'],
      );
    });
  });

  describe('terminals', () => {
    it('a process that ends with unread output stays until it is read', () => {
      const { master, slave } = host.openpty();
      const child = host.fork();
      host.close(slave);
      child.close(master);
      assert.equal(child.writeTerminal(slave, 100), 100);
      child.exit(3);
      assert.equal(host.wait(child.pid), null);
      host.kill(child.pid, SIGKILL);
      assert.equal(host.wait(child.pid), null);
      assert.equal(child.entry.threads[0]?.waitsFor, 'ttywai');
      assert.equal(host.readTerminal(master), 100);
      assert.equal(host.wait(child.pid)?.status, 3 << 8);
    });

    it('or until the master is closed', () => {
      const { master, slave } = host.openpty();
      const child = host.fork();
      host.close(slave);
      child.close(master);
      child.writeTerminal(slave, 1);
      child.exit(0);
      host.close(master);
      assert.equal(host.wait(child.pid)?.status, 0);
      const other = host.openpty();
      host.close(other.master);
      assert.throws(() => host.writeTerminal(other.slave, 1), code('EIO'));
    });

    it('close(2) of the last one would not return', () => {
      const { master, slave } = host.openpty();
      host.writeTerminal(slave, 1);
      assert.throws(() => host.close(slave), KernelHang);
      host.readTerminal(master);
      host.close(slave);
    });
  });

  describe('tracing', () => {
    it('takes a child from its parent, and SIGKILL with it', () => {
      const target = host.fork();
      const tracer = host.fork();
      tracer.ptraceAttach(target.pid);
      assert.throws(() => host.wait(target.pid), code('ECHILD'));
      host.kill(target.pid, SIGKILL);
      assert.equal(target.hasEnded, false);
      assert.equal(tracer.wait(target.pid), null);
      tracer.ptraceDetach(target.pid);
      assert.equal(host.wait(target.pid)?.status, SIGKILL);
    });

    it('gives it back when the tracer has waited, or has ended', () => {
      for (const ends of [false, true]) {
        const target = host.fork();
        const tracer = host.fork();
        tracer.ptraceAttach(target.pid);
        if (ends) tracer.exit(0);
        else {
          tracer.ptraceContinue(target.pid);
          target.exit(4);
          assert.throws(() => host.wait(target.pid), code('ECHILD'));
          assert.equal(tracer.wait(target.pid)?.status, 4 << 8);
          tracer.exit(0);
        }
        host.wait(tracer.pid);
        assert.equal(host.wait(target.pid)?.status, ends ? SIGKILL : 4 << 8);
      }
    });

    it('stops for each signal, which the tracer may give it', () => {
      const target = host.fork();
      host.ptraceAttach(target.pid);
      assert.equal(host.waitStopped(target.pid)?.status, (17 << 8) | 0x7f);
      assert.equal(host.waitStopped(target.pid), null);
      host.ptraceContinue(target.pid);
      host.kill(target.pid, SIGTERM);
      assert.equal(host.waitStopped(target.pid)?.status, (SIGTERM << 8) | 0x7f);
      host.ptraceContinue(target.pid, SIGTERM);
      assert.equal(host.wait(target.pid)?.status, SIGTERM);
    });
  });

  describe('a boot', () => {
    let restore: () => void = () => {};
    beforeEach(() => {
      restore = useModelKernel(kernel);
    });
    afterEach(() => restore());

    it('begins with jid 1 and nothing but files', async () => {
      kernel.file('/etc/motd', 'hello');
      kernel.directory('/t');
      host.mount('tmpfs', '/t');
      jailed();
      jailed();
      kernel.reboot();
      assert.deepEqual(kernel.jails, []);
      assert.equal(kernel.mounts.all.length, 0);
      assert.equal(Buffer.from(kernel.host.readFile('/etc/motd')).toString(), 'hello');
      assert.throws(() => host.getcwd(), code('ESRCH'));
      const child = kernel.host.fork();
      assert.equal(jailBy(child, 'again'), 1);
    });

    it('frees names, and what was left of the jails before it is taken back', async () => {
      const spec = {
        path: '/jail',
        hostname: 'web',
        name: 'web',
        persist: true,
        addresses: ['10.9.9.9'],
        interface: 'lo0',
        mounts: [{ type: 'devfs', target: '/dev' }],
      } as const;
      kernel.directory('/jail/dev');
      const before = await Jail.create(spec);
      const folders = () => kernel.host.readdir('/var/run/dragonfly-jail/dev').length;
      kernel.reboot();
      assert.deepEqual(listJails(), []);
      assert.equal(kernel.network.has('10.9.9.9'), false);
      const again = await Jail.create(spec);
      assert.equal(again.jid, before.jid);
      assert.equal(folders(), 2);
      const reports = await recover();
      assert.deepEqual(
        reports.map(({ name, failed }) => ({ name, failed })),
        [{ name: 'web', failed: [] }],
      );
      assert.equal(folders(), 1);
      assert.equal(listJails().length, 1);
      assert.ok(kernel.network.has('10.9.9.9'));
      assert.equal(kernel.mounts.all.length, 2);
      await again.stop();
    });
  });

  describe('privileges in a jail', () => {
    it('are those of its table and of its capabilities', () => {
      const root = jailed();
      for (const call of ['settimeofday', 'reboot', 'kldload', 'mlock', 'acct'] as const) {
        host.checkCall(call);
        assert.throws(() => root.checkCall(call), code('EPERM'));
      }
      root.checkCall('varsym_set');
      assert.throws(() => root.checkCall('semget'), code('ENOSYS'));
      const user = host.fork();
      user.setuid(1001);
      assert.throws(() => user.checkCall('varsym_set'), code('EPERM'));
      user.checkCall('semget');
    });

    it('keep io and bpf from a jail, and the memory from nobody', () => {
      kernel.directory('/dev');
      host.mount('devfs', '/dev');
      const child = host.fork();
      jailBy(child, 'h', '/');
      for (const name of ['io', 'bpf']) {
        host.open(`/dev/${name}`);
        assert.throws(() => child.open(`/dev/${name}`), code('EPERM'));
      }
      child.open('/dev/mem');
    });
  });

  describe('commands that are traced', () => {
    it('have the status that the kernel tells, whoever was told by wait(2)', async () => {
      kernel.programs
        .add('/bin/main', async ({ process, sleep }) => {
          await sleep(30);
          process.exit(7);
        })
        .add('/bin/trace', async ({ process, argv, sleep }) => {
          const pid = Number(argv[1]);
          process.ptraceAttach(pid);
          process.ptraceContinue(pid);
          while (process.wait(pid) === null) await sleep(5);
        });
      const restore = useModelKernel(kernel);
      const jail = await Jail.create({ path: '/jail', hostname: 'h' });
      const main = jail.spawn('/bin/main');
      await once(main, 'spawn');
      const tracer = jail.spawn('/bin/trace', [String(main.pid)]);
      assert.equal((await main.exited).exitCode, 7);
      await tracer.exited;
      await jail.stop();
      assert.equal(kernel.jails.length, 0);
      restore();
    });

    it('stop() names a tracer of the host', async () => {
      kernel.programs.add('/bin/wait', ({ forever }) => forever());
      const restore = useModelKernel(kernel);
      const jail = await Jail.create({ path: '/jail', hostname: 'h' });
      const command = jail.spawn('/bin/wait');
      await once(command, 'spawn');
      const debuggerProcess = kernel.boot('gdb');
      debuggerProcess.ptraceAttach(command.pid ?? 0);
      const stop = () => jail.stop({ graceMs: 0 });
      await assert.rejects(stop(), (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, 'EBUSY');
        assert.match(error.hint, new RegExp(`process ${debuggerProcess.pid} of the host traces`));
        return true;
      });
      debuggerProcess.ptraceDetach(command.pid ?? 0);
      await jail.stop();
      restore();
    });
  });

  it('binds datagram sockets to groups, and connects them where no way leads', () => {
    const udp = () => host.socket(inet, 2);
    host.bind(udp(), { family: 'inet', address: '224.0.0.5', port: 7003 });
    const far = { family: 'inet', address: '203.0.113.5', port: 9 } as const;
    const fd = udp();
    host.connect(fd, far);
    assert.equal(host.getsockname(fd).address, '127.0.0.1');
    assert.throws(() => host.connect(host.socket(inet, 1), far), code('EHOSTUNREACH'));
    const root = jailed();
    const bind = () =>
      root.bind(root.socket(inet, 2), { family: 'inet', address: '224.0.0.5', port: 7003 });
    assert.throws(bind, code('EINVAL'));
  });
});
