import type { CapabilityName } from '../../../capabilities.js';
import type { Kernel } from '../kernel-state.js';
import type { Prison } from '../prison.js';
import type { ProcessEntry } from '../process.js';

/**
 * What root may do in a jail too, and what only with a capability: the table of `prison_priv_check()` in
 * sys/kern/kern_jail.c. Every other privilege is the host's alone.
 */
const IN_JAILS: Readonly<Record<string, true | CapabilityName>> = {
  PRIV_CRED_SETUID: true,
  PRIV_CRED_SETGROUPS: true,
  PRIV_VFS_SYSFLAGS: true,
  PRIV_VFS_CHOWN: true,
  PRIV_VFS_CHMOD: true,
  PRIV_VFS_CHROOT: true,
  PRIV_VFS_CHFLAGS_DEV: true,
  PRIV_VFS_REVOKE: true,
  PRIV_VFS_MOUNT_NULLFS: 'mountNullfs',
  PRIV_VFS_MOUNT_TMPFS: 'mountTmpfs',
  PRIV_VFS_MOUNT_DEVFS: 'mountDevfs',
  PRIV_VFS_MOUNT_PROCFS: 'mountProcfs',
  PRIV_PROC_SETRLIMIT: true,
  PRIV_PROC_SETLOGIN: true,
  PRIV_PROC_TRESPASS: true,
  PRIV_SYSCTL_WRITEJAIL: true,
  PRIV_VARSYM_SYS: true,
  PRIV_SETHOSTNAME: true,
  PRIV_NETINET_RESERVEDPORT: true,
  PRIV_NETINET_RAW: 'rawSockets',
};

/** A privilege by the kernel's name: one of a jail's, or another, which is the host's. */
export type Privilege = `PRIV_${string}`;

/** May this jail's root do it? Up to 5.6 one switch holds for all jails. */
export function hasCapability(kernel: Kernel, prison: Prison, name: CapabilityName): boolean {
  const word = kernel.traits.vocabulary === 'global' ? kernel.template : prison.capabilities;
  return word.has(name);
}

/** priv_check(9). */
export function isPrivileged(kernel: Kernel, process: ProcessEntry, privilege: Privilege): boolean {
  const { prison } = process.credential;
  if (process.uid !== 0) return false;
  if (prison === null) return true;
  const needed = IN_JAILS[privilege];
  return needed === true || (needed !== undefined && hasCapability(kernel, prison, needed));
}

/** priv_check(9). @throws KernelError EPERM */
export function assertPrivileged(
  kernel: Kernel,
  process: ProcessEntry,
  privilege: Privilege,
): void {
  if (!isPrivileged(kernel, process, privilege)) throw kernel.error('EPERM');
}

/** Root of the host. @throws KernelError EPERM */
export function assertHostRoot(kernel: Kernel, process: ProcessEntry): void {
  assertPrivileged(kernel, process, 'PRIV_ROOT');
}
