// Unit tests of a supervisor of your own (unit-test/keeper.ts) with node:test. They run on a model of the DragonFly
// kernel in memory: no root, no jails of this machine, and failures on demand. It goes the same way in mocha and others.
//
//   npm run example unit-test
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { listJails } from 'dragonfly-jail';
import { ModelKernel, useModelKernel } from 'dragonfly-jail/testing';
import { Keeper, type Kept } from './unit-test/keeper.js';

const KEPT: Kept = {
  jail: { path: '/jails/worker', hostname: 'worker.test' },
  command: ['/bin/worker'],
  attempts: 3,
  delay: 5,
};

describe('a keeper', () => {
  let kernel: ModelKernel;
  let restore: () => void;
  let starts: number;
  let keeper: Keeper;

  beforeEach(() => {
    kernel = new ModelKernel();
    kernel.directory('/jails/worker');
    restore = useModelKernel(kernel);
    starts = 0;
    keeper = new Keeper(KEPT);
  });

  // Whatever happened: no jail, no process and no mount may be left. The kernel is asked, not the package.
  afterEach(async () => {
    await keeper.stop();
    assert.deepEqual(kernel.jails, []);
    assert.deepEqual(kernel.mounts.all, []);
    restore();
  });

  /** The program: a function, which is told how often it has been started. */
  function worker(run: (start: number, forever: () => Promise<never>) => unknown): void {
    kernel.programs.add('/bin/worker', async ({ forever }) => {
      starts++;
      return (await run(starts, forever)) as number;
    });
  }

  it('keeps a command running in a jail of its own', async () => {
    worker((_start, forever) => forever());
    await keeper.start();
    const [pid] = await once(keeper, 'started');
    const [jail] = listJails();
    assert.equal(jail?.hostname, 'worker.test');
    assert.equal(kernel.processes.all.find((process) => process.pid === pid)?.command, 'worker');
  });

  it('starts it again when it has failed, and waits longer each time', async () => {
    worker((start, forever) => (start < 3 ? 1 : forever()));
    const begin = performance.now();
    await keeper.start();
    for (const _ of ['first', 'second', 'third']) await once(keeper, 'started');
    assert(performance.now() - begin >= 5 + 10 - 1, 'it did not wait');
  });

  it('starts it again when somebody has killed it', async () => {
    worker((_start, forever) => forever());
    await keeper.start();
    const [pid] = await once(keeper, 'started');
    const ended = once(keeper, 'ended');
    kernel.host.kill(pid, 9);
    assert.deepEqual(await ended, ['SIGKILL']);
    const [next] = await once(keeper, 'started');
    assert.notEqual(next, pid);
  });

  it('gives up when it fails again and again, and takes the jail away', async () => {
    worker(() => 7);
    await keeper.start();
    assert.deepEqual(await once(keeper, 'gave-up'), ['exit code 7']);
    await keeper.stop();
    assert.equal(starts, KEPT.attempts);
    assert.deepEqual(listJails(), []);
  });

  it('gives up when the program is not there', async () => {
    await keeper.start();
    const [why] = await once(keeper, 'gave-up');
    assert.match(why, /ENOENT/);
  });

  it('says so when there can be no jail', async () => {
    kernel.faults.inject({ call: 'jail', errno: 'EPERM' });
    await assert.rejects(keeper.start(), { code: 'EPERM' });
  });
});
