import { KernelError } from './kernel-error.js';
import type { ModelProcess } from './model-process.js';

/** What the kernel says of an address that is gone already, alone or with its interface. */
const GONE: readonly string[] = ['EADDRNOTAVAIL', 'ENXIO'];

/**
 * Takes an address from an interface, as the monitor does: that somebody else has done so is no error.
 *
 * @param process who does it
 * @param name the interface
 * @param address its bytes
 * @throws KernelError
 */
export function removeAlias(process: ModelProcess, name: string, address: Uint8Array): void {
  try {
    process.removeAlias(name, address);
  } catch (error) {
    if (!(error instanceof KernelError) || !GONE.includes(error.code)) throw error;
  }
}
