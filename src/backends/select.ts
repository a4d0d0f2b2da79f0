import { type as systemType } from 'node:os';
import { unsupported } from '../errors.js';
import type { Backend } from './backend.js';
import { LinuxBackend } from './linux/index.js';

let selected: Backend | null = null;

/**
 * The backend of the kernel that this program runs on.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: there is none for it
 */
export function selectBackend(): Backend {
  selected ??= backendFor(systemType());
  return selected;
}

// By the kernel's own name: process.platform is 'freebsd' on DragonFly too.
function backendFor(system: string): Backend {
  if (system === 'Linux') return new LinuxBackend();
  const hint = 'jails can be made on DragonFly BSD and on Linux';
  throw unsupported(`dragonfly-jail on ${system}`, 'there is no backend for this kernel', hint);
}
