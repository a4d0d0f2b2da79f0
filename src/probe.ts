import { selectBackend } from './backends/select.js';
import type { Probe } from './reports.js';

/**
 * Tells what is possible on this machine for this user, and the reason for everything that is not. Looks only: makes
 * nothing, and needs no privileges.
 *
 * @returns the backend, the kernel, and the features by name; {@link Probe}
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: there is no backend for this kernel
 * @see uname(3), sysctl(8)
 * @example
 * const { features } = probe();
 * if (!features.jails?.available) console.error(features.jails?.reason, features.jails?.hint);
 */
export function probe(): Probe {
  return selectBackend().probe();
}
