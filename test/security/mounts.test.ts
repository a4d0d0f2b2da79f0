import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Jail } from 'dragonfly-jail';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  compileAttacks,
  inNamespaces,
  inside,
  needControl,
  outside,
} from '../support/attack.js';
import { needDragonfly, needRoot, skipOnDragonfly } from '../support/environment.js';
import { hostMounts } from '../support/host.js';
import { useJails } from '../support/jails.js';

// setHostname is on by default, and with it CAP_SYS_ADMIN in the jail's user namespace: what keeps the mounts as they
// are is the filter. Each is tried in a jail with it and in one without.
const KINDS = { 'with setHostname': true, 'without setHostname': false };

describe('the mounts of a jail', () => {
  const jails = useJails();
  let before_: string[];
  let place: string;
  let other: string;

  before(function () {
    skipOnDragonfly(this, 'its own calls are tried below');
    compileAttacks(this, jails);
    place = join(jails.root.outside, 'place');
    other = join(jails.root.outside, 'other');
    for (const folder of [place, other]) mkdirSync(folder);
  });
  beforeEach(() => {
    before_ = hostMounts();
  });
  afterEach(() => {
    assert.deepEqual(hostMounts(), before_, 'the mounts of the host have changed');
  });

  for (const [kind, setHostname] of Object.entries(KINDS)) {
    describe(kind, () => {
      let jail: Jail;
      beforeEach(async () => {
        jail = await jails.create({ capabilities: { setHostname } });
      });

      it('do not become more', async () => {
        assertWorks(await inNamespaces(jails, 'mount', 'tmpfs', place));
        assertWorks(await inNamespaces(jails, 'bind', '/usr', place));
        assertRefused(await inside(jail, 'mount', 'tmpfs', '/mnt'));
        assertRefused(await inside(jail, 'mount', 'proc', '/mnt'));
        assertRefused(await inside(jail, 'mount', 'devpts', '/mnt'));
        assertRefused(await inside(jail, 'bind', '/usr', '/mnt'));
      });

      it('do not become fewer: what they cover stays covered', async () => {
        assertWorks(await inNamespaces(jails, 'bind-then-umount', '/usr', place));
        for (const path of ['/usr', '/proc', '/proc/sys', '/proc/kcore', '/dev', '/dev/pts', '/']) {
          assertRefused(await inside(jail, 'umount', path));
        }
      });

      it('do not move', async () => {
        assertRefused(await inside(jail, 'move', '/proc/sys', '/mnt'));
        assertRefused(await inside(jail, 'move', '/usr', '/mnt'));
        assertRefused(await inside(jail, 'move-copy', '/usr', '/mnt'));
        assertWorks(await inNamespaces(jails, 'move-copy', '/usr', place));
      });

      it('stay read-only, whichever call is asked', async () => {
        assertWorks(await inNamespaces(jails, 'bind-then-make-writable', other, place));
        assertWorks(await inNamespaces(jails, 'clear-bound-read-only', other, place));
        for (const path of ['/usr', '/proc/sys']) {
          assertRefused(await inside(jail, 'make-writable', path));
          assertRefused(await inside(jail, 'clear-read-only', path));
          assertRefused(await inside(jail, 'copy-mount', path));
        }
        assertRefused(await inside(jail, 'open-to-write', '/usr/bin/env'));
      });

      it('cannot be exchanged for another root', async () => {
        assertWorks(await inNamespaces(jails, 'pivot-root', place));
        assertRefused(await inside(jail, 'pivot-root', '/tmp'));
        assertRefused(await inside(jail, 'pivot-root', '/'));
      });

      it('are not to be had by the newer calls', async () => {
        assertWorks(await inNamespaces(jails, 'new-file-system', 'tmpfs', place));
        assertWorks(await inNamespaces(jails, 'copy-mount', '/usr'));
        for (const type of ['tmpfs', 'proc', 'ramfs', 'overlay', 'mqueue', 'cgroup', 'cgroup2']) {
          assertRefused(await inside(jail, 'new-file-system', type, '/mnt'));
        }
      });
    });
  }

  it('are of what was asked for: the source / is the root of the host', async () => {
    const mark = `mark-${process.pid}`;
    writeFileSync(join(place, mark), '');
    chmodSync(jails.root.outside, 0o711); // so that other users reach it
    mkdirSync(join(jails.root.path, 'mnt', 'host'), { recursive: true });
    const host = { type: 'nullfs', source: '/', target: '/mnt/host', readOnly: true } as const;
    const jail = await jails.create({ mounts: [...jails.root.mounts, host] });
    assertWorks(await inside(jail, 'open', `/mnt/host${place}/${mark}`));
    assertRefused(await inside(jail, 'open', `/mnt/host/${ATTACK}`), /^ENOENT$/);
    assertRefused(await inside(jail, 'open-to-write', `/mnt/host${place}/${mark}`));
  });

  it('of a jail’s disk are not read as the disk: devices there are dead', async function () {
    needRoot(this);
    const planted = join(place, 'null');
    execFileSync('mknod', ['-m', '666', planted, 'c', '1', '3']);
    mkdirSync(join(jails.root.path, 'mnt', 'place'), { recursive: true });
    needControl(this, await inNamespaces(jails, 'open', planted), 'opening a device node here');
    const shared = { type: 'nullfs', source: place, target: '/mnt/place' } as const;
    const jail = await jails.create({ mounts: [...jails.root.mounts, shared] });
    assertRefused(await inside(jail, 'open', '/mnt/place/null'));
  });
});

describe('the mounts of a jail on DragonFly', () => {
  const jails = useJails();
  let before_: string[];
  let place: string;
  let jail: Jail;

  before(function () {
    needDragonfly(this);
    compileAttacks(this, jails);
    place = join(jails.root.outside, 'place');
    mkdirSync(place);
  });
  beforeEach(async () => {
    before_ = hostMounts();
    jail = await jails.create();
  });
  afterEach(() => {
    assert.deepEqual(hostMounts(), before_, 'the mounts of the host have changed');
  });

  it('do not become more', async () => {
    assertWorks(await outside(jails, 'bind-then-umount', '/usr', place));
    for (const type of ['tmpfs', 'procfs', 'devfs'])
      assertRefused(await inside(jail, 'mount', type, '/mnt'));
    assertRefused(await inside(jail, 'bind', '/usr', '/mnt'));
  });

  it('do not become more than was allowed', async () => {
    const allowed = await jails.create({ capabilities: { mountTmpfs: true } });
    assertWorks(await inside(allowed, 'mount', 'tmpfs', '/mnt'));
    assertRefused(await inside(allowed, 'bind', '/usr', '/mnt'));
    assertWorks(await inside(allowed, 'umount', '/mnt'));
  });

  it('do not become fewer: what they cover stays covered', async () => {
    for (const path of ['/usr', '/bin', '/dev', '/tmp', '/'])
      assertRefused(await inside(jail, 'umount', path), MAY_NOT);
    const allowed = await jails.create({ capabilities: { mountNullfs: true, mountTmpfs: true } });
    for (const path of ['/usr', '/bin', '/dev', '/tmp', '/'])
      assertRefused(await inside(allowed, 'umount', path), MAY_NOT);
  });

  it('stay read-only', async () => {
    // There is no control: a nullfs that was mounted read-only is made writable by nobody.
    for (const path of ['/usr', '/bin'])
      assertRefused(await inside(jail, 'make-writable', path), MAY_NOT);
    assertRefused(await inside(jail, 'open-to-write', '/usr/bin/env'));
  });
});

// Of what is no mount point in the jail's own eyes.
const MAY_NOT = /^(EPERM|EACCES|EINVAL|EBUSY)$/;
