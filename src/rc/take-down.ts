import type { HostSetup } from '../backends/backend.js';
import { selectBackend } from '../backends/select.js';
import { listOfFstab } from './fstab-mounts.js';
import type { RcJail } from './rc-jail.js';

/**
 * Takes back what rc.d/jail has set up on the host for a jail that it had started, in reverse: procfs, devfs, the
 * entries of the fstab from the last to the first, each if it is mounted, and the addresses.
 *
 * Mount points are compared with the kernel's own list, by their whole path: a link that somebody has planted in the
 * jail's tree is no name of a mount.
 *
 * @param jail which; nothing may run in it any more
 * @param root its root directory, as the kernel has it
 * @throws the first thing that could not be taken back, after everything was tried
 */
export function takeDown(jail: RcJail, root: string): void {
  const setup = selectBackend().hostSetup();
  if (setup === null) return;
  const failures: unknown[] = [];
  const attempt = (step: () => void) => {
    try {
      step();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const target of mountPoints(jail, attempt)) {
    attempt(() => unmountAll(setup, target === '/' ? root : `${root}${target}`));
  }
  if (jail.interface !== null) removeAddresses(setup, jail.interface, jail.addresses, attempt);
  if (failures.length > 0) throw failures[0];
}

function mountPoints(jail: RcJail, attempt: (step: () => void) => void): readonly string[] {
  const targets: string[] = [];
  attempt(() => {
    if (jail.fstab !== null) targets.push(...listOfFstab(jail.fstab, jail.path));
  });
  if (jail.devfs) targets.push('/dev');
  if (jail.procfs) targets.push('/proc');
  return [...new Set(targets)].reverse();
}

// Something may have been mounted over it since.
function unmountAll(setup: HostSetup, path: string): void {
  const times = setup.mountPoints().filter((each) => each === path).length;
  for (let left = times; left > 0; left--) setup.unmount(path);
}

function removeAddresses(
  setup: HostSetup,
  name: string,
  addresses: readonly string[],
  attempt: (step: () => void) => void,
): void {
  for (const address of addresses) attempt(() => setup.removeAddress(name, address));
}
