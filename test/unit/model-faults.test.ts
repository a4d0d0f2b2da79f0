import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ModelKernel, useModelKernel } from '#internal/backends/model/index.js';
import { Jail, JailError, recover } from '#internal/index.js';

// Every call that a jail's life consists of is made to fail once, by itself. Whatever that leads to, in the end nothing
// may be left: no jail, no mount, no alias, no process, no descriptor.

const ROOT = '/jails/www';
const SPEC = {
  path: ROOT,
  hostname: 'h',
  addresses: ['10.0.0.7', 'fd00::7'],
  interface: 'lo0',
  mounts: [
    { type: 'nullfs', source: '/usr', target: '/usr' },
    { type: 'devfs', target: '/dev' },
    { type: 'tmpfs', target: '/tmp' },
  ],
} as const;

function makeKernel(): ModelKernel {
  const kernel = new ModelKernel();
  for (const name of ['usr', 'dev', 'tmp']) kernel.directory(`${ROOT}/${name}`);
  kernel.directory('/usr');
  kernel.programs.add('/bin/true', () => 0).add('/bin/daemon', ({ forever }) => forever());
  return kernel;
}

/** What there is on a kernel beside its files. */
function inventory(kernel: ModelKernel) {
  return {
    jails: kernel.jails.map(({ jid }) => jid),
    mounts: kernel.mounts.all.map(({ on }) => on),
    aliases: [...kernel.network.interfaces.values()].flatMap(({ addresses }) => addresses),
    processes: kernel.processes.all.map(({ pid, command, state }) => `${pid} ${command} ${state}`),
    descriptors: kernel.processes.all.flatMap(({ files }) => [...files.keys()]),
  };
}

/** Creates a jail, runs a command and a daemon in it, and stops it. Errors are noted, and never anything else. */
async function live(errors: unknown[]): Promise<void> {
  let jail: Jail;
  try {
    jail = await Jail.create(SPEC);
  } catch (error) {
    errors.push(error);
    return;
  }
  const daemon = jail.spawn('/bin/daemon');
  daemon.on('error', (error) => errors.push(error));
  await jail.exec('/bin/true').catch((error) => errors.push(error));
  await jail.stop({ graceMs: 20 }).catch((error) => errors.push(error));
  await cleanUp(); // nothing to do, unless that has failed: then the daemon may still run
  await Promise.race([daemon.exited.catch(() => {}), tooLate(nameOf(errors))]);
}

function nameOf(errors: readonly unknown[]): string {
  return `the daemon runs on after ${errors.map(String).join(', ')}`;
}

async function tooLate(what: string): Promise<never> {
  await delay(2000, undefined, { ref: false });
  throw new Error(what);
}

async function cleanUp(): Promise<void> {
  for (const { failed } of await recover()) assert.deepEqual(failed, []);
}

async function countCalls(): Promise<string[]> {
  const kernel = makeKernel();
  void kernel.host;
  kernel.faults.forget();
  const restore = useModelKernel(kernel);
  const errors: unknown[] = [];
  await live(errors);
  restore();
  assert.deepEqual(errors, []);
  return kernel.faults.calls.map(({ call, about }) => `${call} ${about}`);
}

describe('a failure at every step of a jail’s life', () => {
  for (const errno of ['EIO', 'ENOMEM']) {
    it(`${errno}: leaves no jail, mount, alias, process or descriptor`, async () => {
      const calls = await countCalls();
      assert.ok(calls.length > 60, `${calls.length}`);
      let reported = 0;
      for (let nth = 1; nth <= calls.length; nth++) {
        const kernel = makeKernel();
        void kernel.host;
        const before = inventory(kernel);
        kernel.faults.forget();
        kernel.faults.inject({ nth, errno });
        const restore = useModelKernel(kernel);
        const where = `call ${nth}, ${calls[nth - 1]}`;
        const errors: unknown[] = [];
        await live(errors);
        // The failure may have been one of taking back: then it is left for recover(), and told.
        await cleanUp();
        restore();
        assert.deepEqual(inventory(kernel), before, where);
        for (const error of errors) assert.ok(error instanceof JailError, `${where}: ${error}`);
        if (errors.length > 0) reported++;
      }
      console.log(`      ${calls.length} calls, ${reported} of their failures were reported`);
    });
  }

  it('a creation that failed has taken everything back before it says so', async () => {
    const calls = await countCalls();
    const ready = calls.findLastIndex((call) => call.includes('jail.1.vfs_mount_tmpfs'));
    assert.ok(ready > 0);
    for (let nth = 1; nth <= ready + 1; nth++) {
      const kernel = makeKernel();
      void kernel.host;
      const before = inventory(kernel);
      kernel.faults.forget();
      kernel.faults.inject({ nth, errno: 'EIO' });
      const restore = useModelKernel(kernel);
      const jail = await Jail.create(SPEC).catch(() => null);
      if (jail === null) assert.deepEqual(inventory(kernel), before, `${nth}: ${calls[nth - 1]}`);
      else await jail.stop({ graceMs: 0 });
      restore();
    }
  });

  it('errors tell the step', async () => {
    const steps: Record<string, string> = {
      SIOCAIFADDR: 'address',
      mount: 'mount',
      jail: 'jail',
      recvmsg: 'jail',
      realpath: 'root',
    };
    for (const [call, step] of Object.entries(steps)) {
      const kernel = makeKernel();
      kernel.faults.inject({ call, errno: 'EIO' });
      const restore = useModelKernel(kernel);
      await assert.rejects(Jail.create(SPEC), { code: 'EIO', step, errno: -5 });
      restore();
    }
  });

  it('no descriptor of this process is left either', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    if (process.platform !== 'linux') return;
    await countCalls();
    await delay(50);
    const before = open();
    const calls = await countCalls();
    const firstSpawn = calls.findIndex((call) => call.startsWith('jail_attach'));
    for (let nth = firstSpawn - 5; nth < firstSpawn + 40; nth++) {
      const kernel = makeKernel();
      void kernel.host;
      kernel.faults.forget();
      kernel.faults.inject({ nth, errno: 'EIO' });
      const restore = useModelKernel(kernel);
      await live([]);
      await cleanUp();
      restore();
    }
    await delay(50);
    assert.ok(open() <= before, `${open()} descriptors, before ${before}`);
  });
});
