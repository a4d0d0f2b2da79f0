import { KernelHang } from '../kernel-error.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { hasCapability } from './privilege.js';

/** @throws KernelError EPERM; KernelHang where an earlier refusal left the lock behind */
export function mayWriteHostname(kernel: Kernel, writer: ProcessEntry): void {
  if (writer.uid !== 0) throw kernel.error('EPERM');
  if (kernel.sysctlLockLost) {
    throw new KernelHang(
      'an earlier refused write of a hostname left the lock of all sysctls behind',
    );
  }
  const { prison } = writer.credential;
  if (prison === null || hasCapability(kernel, prison, 'setHostname')) return;
  // Its own processor gets its lock back on the way out, the others never do.
  if (kernel.traits.leaksHostnameLock && kernel.cpus > 1) kernel.sysctlLockLost = true;
  throw kernel.error('EPERM');
}

/** Sets the hostname of the writer's jail, or of the host. */
export function writeHostname(kernel: Kernel, writer: ProcessEntry, hostname: string): void {
  const { prison } = writer.credential;
  if (prison === null) kernel.settings.hostname = hostname;
  else prison.hostname = hostname;
}
