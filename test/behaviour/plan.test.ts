import assert from 'node:assert/strict';
import { Jail, JailSystemError, type MountSpec, type PlanStep, probe } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { isRoot, onDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';

describe('the plan of a jail', () => {
  const jails = useJails();

  const plan = (about = {}): readonly PlanStep[] => Jail.plan(jails.spec(about));

  it('tells every step, what it is for and how it is undone', () => {
    const limits = onDragonfly ? {} : { memory: 2 ** 30 };
    const steps = plan({ addresses: [nextIPv4()], limits });
    assert(steps.length >= 5, `${steps.length} steps`);
    for (const { step, description, syscall, undo } of steps) {
      assert.match(step, /^[a-z][a-z-]*$/);
      assert(description.length > 5, description);
      assert(syscall === null || /^[a-z0-9_]+/.test(syscall), String(syscall));
      assert(undo === null || undo.length > 3, String(undo));
    }
    assert(steps.some(({ undo }) => undo !== null));
  });

  it('has a step for each mount and each address, in their order', () => {
    const addresses = [nextIPv4(), nextIPv6(), nextIPv4()];
    const wanted: MountSpec[] = ['/mnt', '/home', '/tmp'].map((target) => ({
      type: 'tmpfs',
      target,
    }));
    const steps = plan({ addresses, mounts: wanted });
    const mounts = steps.filter(({ step }) => step === 'mount');
    assert.equal(mounts.length, wanted.length);
    for (const [i, { target }] of wanted.entries()) {
      assert(mounts[i]?.description.includes(target), `${mounts[i]?.description} is of ${target}`);
    }
    const given = steps.filter(({ step }) => step === 'address');
    assert.equal(given.length, 3);
    for (const [i, address] of addresses.entries()) {
      assert(given[i]?.description.includes(address), given[i]?.description);
    }
    const names = steps.map(({ step }) => step);
    const mountsFirst = names.indexOf('mount') < names.indexOf('address');
    assert.equal(mountsFirst, !onDragonfly, 'a root before its network, on DragonFly behind it');
  });

  it('does nothing, for a jail that could not be made either', async () => {
    const before = new Snapshot(jails.root.outside);
    Jail.plan(jails.spec({ path: '/no/such/directory', addresses: [nextIPv4()] }));
    plan({ persist: true, name: `planned_${process.pid}` });
    await before.assertNothingLeft(0);
    await assert.rejects(Jail.open(`planned_${process.pid}`), { code: 'ERR_JAIL_NOT_FOUND' });
  });

  it('names its steps as errors do', async () => {
    const failures = [
      { path: '/no/such/directory' },
      { mounts: [{ type: 'tmpfs', target: '/no' }] },
    ];
    for (const about of failures) {
      const error: unknown = await jails.create(about as object).catch((reason) => reason);
      assert(error instanceof JailSystemError);
      const names = plan(about).map(({ step }) => step);
      assert(error.step !== undefined && names.includes(error.step), `${error.step} of ${names}`);
    }
  });

  it('cannot be changed by who reads it', () => {
    const steps = plan();
    const count = steps.length;
    try {
      (steps as PlanStep[]).pop();
    } catch {}
    assert.equal(plan().length, count);
  });
});

describe('probing the system', () => {
  it('tells what there is, and a reason for what is missing', () => {
    const found = probe();
    assert.match(found.backend, /^(dragonfly|linux|model)$/);
    assert.match(found.release, /\d/);
    assert.equal(found.privileged, isRoot);
    assert(Object.keys(found.features).length >= 5);
    for (const [name, { available, reason }] of Object.entries(found.features)) {
      assert.equal(typeof available, 'boolean', name);
      if (!available) assert((reason?.length ?? 0) > 5, `no reason for ${name}`);
    }
  });

  it('has no side effects and always says the same', async () => {
    probe();
    const before = new Snapshot('/nowhere');
    assert.deepEqual(probe(), probe());
    await before.assertNothingLeft(0);
  });
});
