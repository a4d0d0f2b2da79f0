import { type as systemType } from 'node:os';
import { JailError, unsupported } from '../errors.js';
import { loadNative } from '../native.js';
import type { Backend } from './backend.js';
import { DragonflyBackend } from './dragonfly/index.js';
import { isDragonflyNative, nativeReads } from './dragonfly/native-reads.js';
import { LinuxBackend } from './linux/index.js';
import { overridingBackend } from './override.js';

let selected: Backend | null = null;

/**
 * The backend of the kernel that this program runs on.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: there is none for it
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
  if (system === 'DragonFly') return dragonflyBackend();
  const hint = 'jails can be made on DragonFly BSD and on Linux';
  throw unsupported(`dragonfly-jail on ${system}`, 'there is no backend for this kernel', hint);
}

function dragonflyBackend(): Backend {
  const { native } = loadNative();
  if (isDragonflyNative(native)) return new DragonflyBackend(nativeReads(native));
  const hint = 'run npm rebuild dragonfly-jail';
  throw new JailError('ERR_JAIL_NATIVE', 'The addon was not compiled for DragonFly', { hint });
}
