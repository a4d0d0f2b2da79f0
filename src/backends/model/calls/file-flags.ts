import type { Kernel } from '../kernel-state.js';
import { lookup } from '../place.js';
import type { ProcessEntry } from '../process.js';
import { assertPrivileged, hasCapability } from './privilege.js';
import { revokePty } from './terminals.js';

/** `UF_SETTABLE`: what an owner may set. */
const OWNERS = 0xffff;
/** `SF_IMMUTABLE`, `SF_APPEND`, `SF_NOUNLINK`: what only root takes away. */
const LOCKING = 0x20000 | 0x40000 | 0x100000;
/** `UF_IMMUTABLE`, `UF_APPEND`, `UF_NOUNLINK`. */
const OWNERS_LOCKING = 0x2 | 0x4 | 0x10;

/** chflags(2), as `vop_helper_setattr_flags()` has it. */
export function chflags(kernel: Kernel, process: ProcessEntry, path: string, flags: number): void {
  const { vnode } = lookup(process, path);
  if (process.uid !== vnode.uid) assertPrivileged(kernel, process, 'PRIV_VFS_SYSFLAGS');
  const { prison } = process.credential;
  const mayAll = process.uid === 0 && (prison === null || hasCapability(kernel, prison, 'chflags'));
  if (!mayAll && ((vnode.flags & LOCKING) !== 0 || (flags & ~OWNERS) !== 0)) {
    throw kernel.error('EPERM');
  }
  vnode.flags = mayAll ? flags : (vnode.flags & ~OWNERS) | flags;
}

/** revoke(2): of a terminal; of anything else only whether it is allowed. */
export function revoke(kernel: Kernel, process: ProcessEntry, path: string): void {
  if (process.uid === 0 && revokePty(kernel, path)) return;
  const { vnode } = lookup(process, path);
  if (process.uid !== vnode.uid) assertPrivileged(kernel, process, 'PRIV_VFS_REVOKE');
}

/** Does a flag keep it from being changed or removed? */
export function isLocked({ flags }: { readonly flags: number }): boolean {
  return (flags & (LOCKING | OWNERS_LOCKING)) !== 0;
}
