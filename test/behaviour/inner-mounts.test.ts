import assert from 'node:assert/strict';
import type { Jail } from 'dragonfly-jail';
import { onDragonfly, skip, within } from '../support/environment.js';
import { hostMounts } from '../support/host.js';
import { attempt, compileHostile } from '../support/hostile.js';
import { useJails } from '../support/jails.js';

// What inmates may mount where they have the capability, and how it is taken back.

const PATIENCE = 10_000;

describe('what was mounted inside of a jail', () => {
  const jails = useJails();
  let before_: string[];
  let jail: Jail;

  before(function () {
    if (!onDragonfly) skip(this, 'no jail of Linux mounts anything');
    compileHostile(this, jails.root);
  });
  beforeEach(async () => {
    before_ = hostMounts();
    jail = await jails.create({ capabilities: { mountTmpfs: true, mountNullfs: true } });
  });

  async function mountAt(path: string): Promise<void> {
    const made = await jail.exec('sh', ['-c', `mkdir -p "$0"`, path]);
    assert.equal(made.exitCode, 0, String(made.stderr));
    assert.equal(await attempt(jail, 'mount', path), 'ok', path);
  }

  async function stops(): Promise<void> {
    await within('stop()', PATIENCE, jail.stop());
    assert.deepEqual(hostMounts(), before_);
  }

  // The kernel knows a mount by 79 bytes of its path.
  for (const length of [40, 79, 80, 81, 200, 900]) {
    it(`is taken back from a path of ${length} bytes and more`, async () => {
      const parts = Array.from(
        { length: Math.ceil(length / 50) },
        (_, i) => `${i}${'x'.repeat(48)}`,
      );
      await mountAt(`/home/${parts.join('/')}`);
      await stops();
    });
  }

  it('is taken back where two differ behind what the kernel keeps of their names', async () => {
    const long = `/home/${'y'.repeat(100)}`;
    await mountAt(`${long}/one`);
    await mountAt(`${long}/other`);
    await mountAt(`${long}/other/below`);
    await stops();
  });

  it('is taken back whatever it is called', async () => {
    for (const name of ['a b', 'new\nline', 'tab\t', '%s', 'ü', '"quoted"', '-rf']) {
      await mountAt(`/home/${name}`);
    }
    await stops();
  });

  it('is taken back when the folder above was renamed since', async () => {
    await mountAt('/home/before/there');
    await jail.exec('mv', ['/home/before', '/home/after']);
    await stops();
  });

  it('is taken back one upon the other', async () => {
    await mountAt('/home/stack');
    for (let i = 0; i < 3; i++) assert.equal(await attempt(jail, 'mount', '/home/stack'), 'ok');
    await stops();
  });

  it('is taken back when it covers the root, and with it all that the host mounted there', async () => {
    const source = { type: 'nullfs', target: '/mnt', source: jails.root.outside } as const;
    await jail.stop();
    const mounts = [...jails.root.mounts, source];
    jail = await jails.create({ capabilities: { mountTmpfs: true }, mounts });
    assert.equal(await attempt(jail, 'mount', '/'), 'ok');
    await stops();
  });
});
