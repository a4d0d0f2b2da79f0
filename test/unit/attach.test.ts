import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { enterJail, refuseInJail } from '#internal/backends/dragonfly/attach.js';
import { LinuxBackend } from '#internal/backends/linux/index.js';
import { ModelKernel, useModelKernel } from '#internal/backends/model/index.js';
import { Jail, type JailSpec, listJails, probe } from '#internal/index.js';
import { refuses } from './refuses.js';

const SPEC = { path: '/jails/www', hostname: 'www' };

// What has entered a jail cannot stop it and go on.
async function made(about: Partial<JailSpec> = {}): Promise<Jail> {
  return (await Jail.create({ ...SPEC, ...about })).unref();
}

describe('attach() on a model kernel', () => {
  let kernel: ModelKernel;
  let restore: () => void;

  beforeEach(() => {
    kernel = new ModelKernel();
    kernel.directory('/jails/www/tmp');
    kernel.file('/etc/motd', 'of the host');
    restore = useModelKernel(kernel);
  });
  afterEach(() => restore());

  it('moves the program into the jail, without a way out, and tells what it kept', async () => {
    const { host } = kernel;
    const directory = host.open('/jails');
    const file = host.open('/etc/motd');
    const socket = host.socket(2, 1);
    const jail = await made();
    const { closed, kept } = jail.attach();
    assert.deepEqual(closed, [directory]);
    assert.deepEqual(
      kept.filter(({ fd }) => [directory, file, socket].includes(fd)),
      [
        { fd: file, type: 'file' },
        { fd: socket, type: 'socket' },
      ],
    );
    assert.deepEqual([host.jid, host.getcwd()], [jail.jid, '/']);
    assert.deepEqual(host.readdir('/'), ['tmp']);
    assert.throws(() => host.fchdir(directory), { code: 'EBADF' });
    assert.throws(() => host.fchdir(file), { code: 'ENOTDIR' });
  });

  it('is for good: nothing of jails can be made, entered or listed inside', async () => {
    const jail = await made();
    const other = await made();
    jail.attach();
    for (const handle of [jail, other]) refuses(() => handle.attach(), 'ERR_JAIL_UNSUPPORTED');
    await assert.rejects(Jail.create(SPEC), { code: 'EPERM', step: 'privilege' });
    const { features } = probe();
    assert.equal(features.jails?.available, false);
    assert.equal(features.attachThisProcess?.available, false);
  });

  it('is root’s alone; what is refused has closed nothing', async () => {
    const jail = await made();
    const directory = kernel.host.open('/jails');
    kernel.host.seteuid(7);
    assert.throws(() => jail.attach(), {
      code: 'EPERM',
      step: 'attach',
      syscall: 'jail_attach',
      jid: jail.jid,
      hint: /root/,
    });
    kernel.host.seteuid(0);
    assert.equal(kernel.host.jid, 0);
    kernel.host.fchdir(directory);
  });

  it('is no longer possible when the jail is stopped or the handle closed', async () => {
    const jail = await made({ persist: true });
    const handle = await Jail.open(jail.jid);
    await handle[Symbol.asyncDispose]();
    refuses(() => handle.attach(), 'ERR_JAIL_STOPPED');
    await jail.stop();
    refuses(() => jail.attach(), 'ERR_JAIL_STOPPED');
    assert.equal(kernel.host.jid, 0);
    assert.deepEqual(listJails(), []);
  });

  it('says what the kernel says', async () => {
    const jail = await made();
    kernel.faults.inject({ call: 'jail_attach', errno: 'EACCES' });
    assert.throws(() => jail.attach(), { code: 'EACCES', step: 'attach' });
  });

  it('is refused in a worker thread', async () => {
    const here = (name: string) => pathToFileURL(fileURLToPath(import.meta.resolve(name))).href;
    const script = `(async () => {
      const { Jail } = await import(${JSON.stringify(here('dragonfly-jail'))});
      const { ModelKernel, useModelKernel } = await import(${JSON.stringify(here('dragonfly-jail/testing'))});
      const kernel = new ModelKernel();
      kernel.directory('/jails/www');
      useModelKernel(kernel);
      const jail = await Jail.create(${JSON.stringify(SPEC)});
      try { jail.attach(); } catch ({ code, message }) {
        require('node:worker_threads').parentPort.postMessage({ code, message, jid: kernel.host.jid });
      }
      await jail.stop();
    })();`;
    const worker = new Worker(script, { eval: true });
    const [{ code, message, jid }] = await once(worker, 'message');
    assert.deepEqual([code, jid], ['ERR_JAIL_UNSUPPORTED', 0]);
    assert.match(message, /worker thread/);
    await once(worker, 'exit');
  });
});

describe('attach() by the addon', () => {
  const failing = (code: string, errno: number, syscall: string) => ({
    enterJail: () => {
      throw Object.assign(new Error(code), { code, errno: -errno, syscall, step: 'attach' });
    },
  });

  it('leaves the working directory behind, in Node’s memory too', () => {
    const before = process.cwd();
    const report = { closed: [7], kept: [{ fd: 0, type: 'pipe' }] };
    try {
      assert.deepEqual(enterJail({ enterJail: () => report }, 3), report);
      assert.equal(process.cwd(), '/');
    } finally {
      process.chdir(before);
    }
  });

  it('finds no jail where the kernel knows none, and says everything else as it is', () => {
    assert.throws(() => enterJail(failing('EINVAL', 22, 'jail_attach'), 3), {
      code: 'ERR_JAIL_NOT_FOUND',
    });
    assert.throws(() => enterJail(failing('EPERM', 1, 'jail_attach'), 3), {
      code: 'EPERM',
      step: 'attach',
      jid: 3,
      hint: /open directory/,
    });
  });

  it('is the end of making jails: no monitor is started that could not be found', () => {
    const jailed = (byte: number) => ({ get: () => Uint8Array.of(byte, 0, 0, 0) }) as never;
    refuseInJail(jailed(0));
    const refusal = { code: 'EPERM', step: 'privilege', hint: /on the host/ };
    assert.throws(() => refuseInJail(jailed(1)), refusal);
  });

  it('needs an addon that can', () => {
    assert.throws(() => enterJail({}, 3), { code: 'ERR_JAIL_NATIVE' });
  });
});

describe('attach() on Linux', () => {
  it('is refused, with the reason that probe() gives', () => {
    const backend = new LinuxBackend();
    const { reason = '', hint } = backend.probe().features.attachThisProcess ?? {};
    assert.throws(
      () => backend.attach(),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, 'ERR_JAIL_UNSUPPORTED');
        assert(error.message.includes(reason));
        assert.equal(error.hint, hint);
        return true;
      },
    );
  });
});
