import { createRequire } from 'node:module';
import { type as systemType } from 'node:os';
import { join } from 'node:path';
import { JailError, unsupported } from '../errors.js';
import { packageFolder } from '../loader/package-folder.js';
import type { Backend } from './backend.js';
import { LinuxBackend } from './linux/index.js';
import { overridingBackend } from './override.js';

let selected: Backend | null = null;

/**
 * The backend of the kernel that this program runs on.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: there is none for it; `ERR_JAIL_NATIVE`: it cannot be loaded
 */
export function selectBackend(): Backend {
  const override = overridingBackend();
  if (override !== null) return override;
  selected ??= backendFor(systemType());
  return selected;
}

// By the kernel's own name: process.platform is 'freebsd' on DragonFly too.
function backendFor(system: string): Backend {
  if (system === 'Linux') return new LinuxBackend();
  if (system === 'DragonFly') return requireDragonfly().nativeBackend();
  const hint = 'jails can be made on DragonFly BSD and on Linux';
  throw unsupported(`dragonfly-jail on ${system}`, 'there is no backend for this kernel', hint);
}

// Loaded only where it is used: it is a fifth of what an import would have to read.
function requireDragonfly(): typeof import('./dragonfly/native-backend.js') {
  const file = join(packageFolder(), 'dist', 'backends', 'dragonfly', 'native-backend.js');
  try {
    return createRequire(file)(file);
  } catch (cause) {
    const hint =
      'Node 20.19, 22.12 or later can, unless it is told not to load ES modules by require()';
    throw new JailError('ERR_JAIL_NATIVE', `${file} cannot be loaded`, { cause, hint });
  }
}
