import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Jail, recover } from 'dragonfly-jail';
import { skipOnModel } from '../support/environment.js';
import { registeredNames, stateDirectory } from '../support/host.js';
import { useJails } from '../support/jails.js';

// A name in the registry is a link to a jid. Who is killed leaves it behind, and after a restart of the machine somebody
// else has that jid.

describe('the name of a jail', () => {
  const jails = useJails();
  const name = `name_${process.pid}`;

  before(function () {
    skipOnModel(this, 'it has no registry');
  });
  beforeEach(async () => {
    await (await jails.create()).stop(); // so that there is a registry
  });

  afterEach(() => {
    for (const left of [name, `${name}_too`])
      rmSync(join(stateDirectory(), 'names', left), { force: true });
  });

  function leave(name: string, jid: number): string {
    const link = join(stateDirectory(), 'names', name);
    mkdirSync(join(stateDirectory(), 'names'), { recursive: true, mode: 0o700 });
    symlinkSync(String(jid), link);
    return link;
  }

  it('is free when the jail that it leads to is not there', async () => {
    const link = leave(name, 888_777);
    await assert.rejects(Jail.open(name), { code: 'ERR_JAIL_NOT_FOUND' });
    const jail = await jails.create({ name });
    assert.equal((await Jail.open(name)).jid, jail.jid);
    await jail.stop();
    assert(!existsSync(link));
  });

  it('is free when it leads to a jail of another name, or of none', async () => {
    for (const other of [{ name: `other_${process.pid}` }, {}]) {
      const living = await jails.create(other);
      leave(name, living.jid);
      await assert.rejects(Jail.open(name), { code: 'ERR_JAIL_NOT_FOUND' });
      const jail = await jails.create({ name });
      assert.notEqual(jail.jid, living.jid);
      await jail.stop();
      assert.equal((await living.exec('echo', ['alive'])).stdout, 'alive\n');
      await living.stop();
    }
  });

  it('is taken away by recover() when nobody has it', async () => {
    const living = await jails.create({ name: `other_${process.pid}` });
    leave(name, living.jid);
    leave(`${name}_too`, 888_776);
    await recover();
    const left = registeredNames().filter((one) => one.name.startsWith(name));
    assert.deepEqual(left, []);
    assert.equal((await Jail.open(`other_${process.pid}`)).jid, living.jid);
  });

  it('is one jail’s while that lives', async () => {
    const jail = await jails.create({ name });
    await assert.rejects(jails.create({ name }), { code: 'ERR_JAIL_EXISTS' });
    await recover();
    assert.equal((await Jail.open(name)).jid, jail.jid);
  });
});
