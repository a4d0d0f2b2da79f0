import type { HostSetup } from '../backend.js';
import { addressBytes } from '../dragonfly/kernel-address.js';
import { MNT_FORCE } from './calls/mount-flags.js';
import type { ModelKernel } from './kernel.js';
import { removeAlias } from './remove-alias.js';
import { during } from './translate.js';

/** What is set up on the host of a model, by a process of its root. */
export function modelSetup(kernel: ModelKernel): HostSetup {
  return {
    mountPoints: () => kernel.host.getfsstat().map(({ on }) => on),
    unmount: (path) => {
      const where = { step: 'mount', syscall: 'unmount', path };
      during(where, () => kernel.host.unmount(path, MNT_FORCE));
    },
    removeAddress: (name, address) => {
      const where = { step: 'address', syscall: 'ioctl', path: address };
      during(where, () => removeAlias(kernel.host, name, addressBytes(address)));
    },
  };
}
