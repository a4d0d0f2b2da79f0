import { JailError } from '../../errors.js';
import { loadNative } from '../../native.js';
import { DragonflyBackend } from './index.js';
import { isDragonflyNative, nativeReads } from './native-reads.js';

/**
 * The backend on the addon.
 *
 * @throws JailError `ERR_JAIL_NATIVE`: the addon was compiled for another system
 */
export function nativeBackend(): DragonflyBackend {
  const { native } = loadNative();
  if (isDragonflyNative(native)) return new DragonflyBackend(nativeReads(native));
  const hint = 'run npm rebuild dragonfly-jail';
  throw new JailError('ERR_JAIL_NATIVE', 'The addon was not compiled for DragonFly', { hint });
}
