import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { JailError, JailSystemError, jailNotFound, unsupported } from '../../errors.js';
import { nativeFailure } from '../../native.js';
import type { AttachReport } from '../../reports.js';
import { failedWith, isJailed, type KernelReads } from './kernel-reads.js';

const FORBIDDEN = { errno: constants.errno.EPERM, code: 'EPERM' };

/** What the addon has on DragonFly to enter a jail. */
interface AttachNative {
  /** Closes what is open on directories, jail_attach(2) of this process, chdir(2) to `/`. */
  enterJail(jid: number): AttachReport;
}

/**
 * Refuses what the kernel would refuse after descriptors were closed.
 *
 * @param privileged is it root?
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: in a jail, or in a worker thread; JailSystemError `EPERM` step `attach`
 */
export function checkAttach(reads: KernelReads, privileged: boolean, jid: number): void {
  if (!isMainThread) {
    const reason = 'it moves the whole process, all threads';
    throw unsupported('attach() in a worker thread', reason, 'call it in the main thread');
  }
  if (isJailed(reads)) {
    const reason = 'a process in a jail can enter no other, and stays in its own';
    throw unsupported('attach() in a jail', reason, 'run the program on the host');
  }
  if (privileged) return;
  throw new JailSystemError({ ...FORBIDDEN, syscall: 'jail_attach', step: 'attach', jid });
}

/**
 * Says what a monitor would say in a jail. After {@link enterJail} there is none to be started: its program is outside.
 *
 * @throws JailSystemError `EPERM` step `privilege`
 */
export function refuseInJail(reads: KernelReads): void {
  if (!isJailed(reads)) return;
  const hint = 'a process in a jail can neither make nor enter jails: run the program on the host';
  throw new JailSystemError({ ...FORBIDDEN, syscall: 'jail', step: 'privilege', hint });
}

/**
 * Enters a jail, by way of the addon.
 *
 * @throws JailError `ERR_JAIL_NOT_FOUND`; `ERR_JAIL_NATIVE`: the addon is an older one; JailSystemError step `attach`
 */
export function enterJail(native: object, jid: number): AttachReport {
  if (!canAttach(native)) {
    const hint = 'run npm rebuild dragonfly-jail';
    throw new JailError('ERR_JAIL_NATIVE', 'The addon is of an older release', { hint });
  }
  const report = enter(native, jid);
  process.chdir('/'); // Node has kept the name of the old one
  return report;
}

function enter(native: AttachNative, jid: number): AttachReport {
  try {
    return native.enterJail(jid);
  } catch (error) {
    if (failedWith(error, 'EINVAL')) throw jailNotFound(jid); // it has ended meanwhile
    throw nativeFailure(error, { step: 'attach', jid });
  }
}

function canAttach(native: object): native is AttachNative {
  return typeof Reflect.get(native, 'enterJail') === 'function';
}
