import { JailError } from '../../errors.js';
import { nativeFailure } from '../../native.js';
import type { HostSetup } from '../backend.js';

/** What the addon has on DragonFly to take back what rc.d/jail has set up. */
interface SetupNative {
  /** In the order of mounting; names are cut at 79 bytes. */
  mountPoints(): string[];
  /** unmount(2) with MNT_FORCE: follows symbolic links. */
  unmount(path: string): void;
  /** SIOCDIFADDR, SIOCDIFADDR_IN6. */
  removeAlias(interfaceName: string, address: string): void;
}

/**
 * What is set up on the host, by way of the addon.
 *
 * @throws JailError `ERR_JAIL_NATIVE`: the addon is an older one
 */
export function nativeSetup(native: object): HostSetup {
  if (!hasSetup(native)) {
    const hint = 'run npm rebuild dragonfly-jail';
    throw new JailError('ERR_JAIL_NATIVE', 'The addon is of an older release', { hint });
  }
  return {
    mountPoints: () => during({ step: 'mount' }, () => native.mountPoints()),
    unmount: (path) => during({ step: 'mount', path }, () => native.unmount(path)),
    removeAddress: (name, address) => {
      during({ step: 'address', path: address }, () => removeAlias(native, name, address));
    },
  };
}

function hasSetup(native: object): native is SetupNative {
  const names = ['mountPoints', 'unmount', 'removeAlias'];
  return names.every((name) => typeof Reflect.get(native, name) === 'function');
}

function removeAlias(native: SetupNative, name: string, address: string): void {
  try {
    native.removeAlias(name, address);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRNOTAVAIL' && code !== 'ENXIO') throw error;
  }
}

function during<T>(details: { step: string; path?: string }, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw nativeFailure(error, details);
  }
}
