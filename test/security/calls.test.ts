import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Jail } from 'dragonfly-jail';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  compileAttacks,
  inside,
  needControl,
  outside,
} from '../support/attack.js';
import { onDragonfly, skip, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// What gets past a jail's filter is told by a second filter that the command itself installs below it: the kernel asks the
// stricter one first. So calls are tried, too, that this machine's kernel does not have.

// Of x86_64 and aarch64: unshare(2), socket(2), socketpair(2).
const [UNSHARE, SOCKET, SOCKETPAIR] =
  process.arch === 'x64' ? ['272', '41', '53'] : ['97', '198', '199'];
const FIRST_UNSEEN = 470; // one after what Linux 6.18 has

// What would change the whole kernel, by its number; not every kernel has all of it.
const WHOLE_KERNEL =
  process.arch === 'x64'
    ? { kexec_load: 246, kexec_file_load: 320, init_module: 175, finit_module: 313 }
    : { kexec_load: 104, kexec_file_load: 294, init_module: 105, finit_module: 273 };
const MORE_OF_IT =
  process.arch === 'x64'
    ? { delete_module: 176, reboot: 169, swapon: 167, swapoff: 168, quotactl: 179, iopl: 172 }
    : { delete_module: 106, reboot: 142, swapon: 224, swapoff: 225, quotactl: 60 };
const OF_EVERY_ARCHITECTURE = { open_tree_attr: 467, mount_setattr: 442, quotactl_fd: 443 };

// What hardly any program needs, by its number: not refused, but not there.
const RARE =
  process.arch === 'x64'
    ? {
        uselib: 134,
        ustat: 136,
        sysfs: 139,
        modify_ldt: 154,
        _sysctl: 156,
        getpmsg: 181,
        migrate_pages: 256,
      }
    : { nfsservctl: 42, lookup_dcookie: 18, migrate_pages: 238 };
const RARE_EVERYWHERE = { statmount: 457, listmount: 458, lsm_set_self_attr: 460 };
const NUMBERS_OF_NO_CALL = { 'no call': 400 };

// Protocols of the internet's families: [type, protocol].
const [STREAM, DATAGRAM, RAW, SEQUENCED, DCCP, PACKET] = ['1', '2', '3', '5', '6', '10'];
const COMMON = {
  TCP: [STREAM, '6'],
  'TCP, as 0': [STREAM, '0'],
  UDP: [DATAGRAM, '17'],
  ping: [DATAGRAM, '1'],
};
const RARE_PROTOCOLS = {
  MPTCP: [STREAM, '262'],
  SCTP: [STREAM, '132'],
  'SCTP, as messages': [SEQUENCED, '132'],
  'whatever has messages': [SEQUENCED, '0'],
  DCCP: [DCCP, '33'],
  'UDP-Lite': [DATAGRAM, '136'],
  L2TP: [DATAGRAM, '115'],
  SMC: [STREAM, '256'],
  'a packet socket by its old name': [PACKET, '768'],
};

// Families that are the whole machine's, whatever network namespace one is in.
const UNDIVIDED = { AF_ALG: '38', AF_VSOCK: '40', AF_QIPCRTR: '42' };

describe('system calls that reach the kernel from a jail', () => {
  const jails = useJails();
  let jail: Jail;

  before(function () {
    skipOnDragonfly(
      this,
      'no filter stands before its calls; kernel.test.ts tries what each of them refuses',
    );
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    const capabilities = { setHostname: true, rawSockets: true, unixIpRouteOnly: false };
    jail = await jails.create({ capabilities: { ...capabilities, sysvIpc: true } });
  });

  it('do not reach a kernel that is newer than this package', async () => {
    for (const number of [FIRST_UNSEEN, FIRST_UNSEEN + 1, 480, 511, 512, 600, 1023, 4096]) {
      assertWorks(await outside(jails, 'reach-kernel', `${number}`));
      assertRefused(await inside(jail, 'reach-kernel', `${number}`), /^ENOSYS$/);
    }
  });

  it('are not those that every program needs', async () => {
    assertWorks(await inside(jail, 'reach-kernel', '469')); // the last one of Linux 6.18
    assertWorks(await inside(jail, 'reach-kernel', UNSHARE, '0x200')); // CLONE_FS
  });

  for (const [name, number] of Object.entries({
    ...WHOLE_KERNEL,
    ...MORE_OF_IT,
    ...OF_EVERY_ARCHITECTURE,
  })) {
    it(`are not those that are the whole kernel’s or the mounts’: ${name}`, async () => {
      assertWorks(await outside(jails, 'reach-kernel', `${number}`));
      assertRefused(await inside(jail, 'reach-kernel', `${number}`), /^EPERM$/);
    });
  }

  for (const [name, number] of Object.entries({
    ...RARE,
    ...RARE_EVERYWHERE,
    ...NUMBERS_OF_NO_CALL,
  })) {
    it(`are not those that nobody has asked for: ${name}`, async () => {
      assertWorks(await outside(jails, 'reach-kernel', `${number}`));
      assertRefused(await inside(jail, 'reach-kernel', `${number}`), /^ENOSYS$/);
    });
  }

  for (const [name, [type, protocol]] of Object.entries(RARE_PROTOCOLS)) {
    it(`make no socket of a protocol that is rare: ${name}`, async () => {
      // With close-on-exec and without; IPv4 and IPv6.
      for (const family of ['2', '10']) {
        for (const flags of [0, 0x80000]) {
          const socket = [SOCKET, family, String(Number(type) | flags), `${protocol}`];
          assertWorks(await outside(jails, 'reach-kernel', ...socket));
          const tried = await inside(jail, 'reach-kernel', ...socket);
          assertRefused(tried, /^EPROTONOSUPPORT$/);
        }
      }
    });
  }

  it('make sockets of the protocols that are not', async () => {
    for (const [type, protocol] of [...Object.values(COMMON), [RAW, '132']]) {
      const socket = [SOCKET, '2', `${type}`, `${protocol}`];
      assertWorks(await inside(jail, 'reach-kernel', ...socket));
    }
    assertWorks(await inside(jail, 'reach-kernel', SOCKET, '10', DATAGRAM, '58')); // ping
  });

  it('are not known calls with flags of a newer kernel: unshare(2)', async () => {
    for (const flag of ['0x100000', '0x80', '0x1', '0x80000000']) {
      assertWorks(await outside(jails, 'reach-kernel', UNSHARE, flag));
      assertRefused(await inside(jail, 'reach-kernel', UNSHARE, flag), /^EPERM$/);
    }
  });

  for (const way of ['call-as-32-bit', 'call-as-x32']) {
    it(`are not those of another architecture: ${way}`, async function () {
      assertRefused(await inside(jail, way), /^ENOSYS$/);
      needControl(this, await outside(jails, way), way);
    });
  }

  for (const [name, family] of Object.entries(UNDIVIDED)) {
    it(`make no socket that no network namespace divides: ${name}`, async () => {
      for (const call of [SOCKET, SOCKETPAIR]) {
        assertWorks(await outside(jails, 'reach-kernel', call, family));
        assertRefused(await inside(jail, 'reach-kernel', call, family), /^EPROTONOSUPPORT$/);
      }
    });
  }

  it('do not handle the kernel’s page faults', async function () {
    assertRefused(await inside(jail, 'userfaultfd'));
    needControl(this, await outside(jails, 'userfaultfd'), 'userfaultfd(2)');
  });

  it('do not lead from a namespace to the one above it', async () => {
    const command = jail.spawn(ATTACK, ['victim'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(command, 'spawn');
    for (const name of ['user', 'pid']) {
      assertWorks(await outside(jails, 'find-parent', `/proc/${command.pid}/ns/${name}`));
      assertRefused(await inside(jail, 'find-parent', `/proc/self/ns/${name}`));
    }
  });

  it('do not lead from a mount namespace to the next one', async function () {
    const tried = await inside(jail, 'find-neighbour', '/proc/self/ns/mnt');
    assert.notEqual(tried.result, 'ok');
    const control = await outside(jails, 'find-neighbour', '/proc/self/ns/mnt');
    needControl(this, control, 'to list mount namespaces');
  });
});

describe('memory that is shared by a key or a name', () => {
  const jails = useJails();
  const KEY = String(0x6a61696c); // any that nobody uses
  const NAME = `/dfjail-test-${process.pid}`;

  before(function () {
    compileAttacks(this, jails);
  });

  it('is the host’s, a jail’s own, or another jail’s: System V', async function () {
    const jail = await jails.create({ capabilities: { sysvIpc: true } });
    const other = await jails.create({ capabilities: { sysvIpc: true } });
    const without = await jails.create({ capabilities: { sysvIpc: false } });
    if (onDragonfly) return sharedWithHost(jail, without);
    const made = await outside(jails, 'make-segment', KEY);
    if (made.result === 'ENOSYS') skip(this, 'this kernel has no System V memory');
    try {
      assertWorks(await outside(jails, 'find-segment', KEY));
      assertRefused(await inside(jail, 'find-segment', KEY));
      assertWorks(await inside(jail, 'make-segment', KEY));
      assertWorks(await inside(jail, 'find-segment', KEY));
      assertRefused(await inside(other, 'find-segment', KEY));
      assertRefused(await inside(without, 'make-segment', KEY), /^ENOSYS$/);
      assertWorks(await inside(jail, 'remove-segment', KEY));
    } finally {
      assertWorks(await outside(jails, 'remove-segment', KEY));
    }
  });

  // There sysvIpc gives a jail the memory of the host: docs/security.md. What counts is that it needs to be given.
  async function sharedWithHost(jail: Jail, without: Jail): Promise<void> {
    assertWorks(await outside(jails, 'make-segment', KEY));
    try {
      assertWorks(await inside(jail, 'find-segment', KEY));
      assertRefused(await inside(without, 'find-segment', KEY), /^ENOSYS$/);
      assertRefused(await inside(without, 'make-segment', KEY), /^ENOSYS$/);
    } finally {
      assertWorks(await outside(jails, 'remove-segment', KEY));
    }
  }

  it('is the host’s, a jail’s own, or another jail’s: POSIX', async () => {
    const [jail, other] = [await jails.create(), await jails.create()];
    if (onDragonfly) mkdirSync('/var/run/shm', { recursive: true, mode: 0o1777 });
    assertWorks(await outside(jails, 'make-shared', NAME));
    try {
      assertWorks(await outside(jails, 'find-shared', NAME));
      assertRefused(await inside(jail, 'find-shared', NAME));
      if (onDragonfly) return; // where it is files of the root, which these two share
      assertWorks(await inside(jail, 'make-shared', NAME));
      assertWorks(await inside(jail, 'find-shared', NAME));
      assertRefused(await inside(other, 'find-shared', NAME));
    } finally {
      assertWorks(await outside(jails, 'remove-shared', NAME));
    }
  });
});
