import type { CapabilityName } from '../../../capabilities.js';
import type { Kernel } from '../kernel-state.js';
import type { Prison } from '../prison.js';
import type { ProcessEntry } from '../process.js';

/** May this jail's root do it? Up to 5.6 one switch holds for all jails. */
export function hasCapability(kernel: Kernel, prison: Prison, name: CapabilityName): boolean {
  const word = kernel.traits.vocabulary === 'global' ? kernel.template : prison.capabilities;
  return word.has(name);
}

/** Root of the host. @throws KernelError EPERM */
export function assertHostRoot(kernel: Kernel, process: ProcessEntry): void {
  if (process.uid !== 0 || process.credential.prison !== null) throw kernel.error('EPERM');
}

/** Root, jailed or not. @throws KernelError EPERM */
export function assertRoot(kernel: Kernel, process: ProcessEntry): void {
  if (process.uid !== 0) throw kernel.error('EPERM');
}
