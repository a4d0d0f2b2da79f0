import type { MountSpec } from '../mounts.js';
import type { JailSpec } from '../spec.js';
import { registryName } from './find-running.js';
import { readFstabMounts } from './fstab-mounts.js';
import type { RcJail } from './rc-jail.js';

/**
 * What `Jail.create()` is to be given for a jail of rc.conf(5). Its fstab is read for that.
 *
 * @param jail which
 * @throws what {@link readFstabMounts} throws
 */
export function jailSpec(jail: RcJail): JailSpec {
  return {
    path: jail.path,
    hostname: jail.hostname,
    name: registryName(jail.name),
    addresses: jail.addresses,
    ...(jail.interface !== null && { interface: jail.interface }),
    capabilities: jail.capabilities,
    limits: jail.limits,
    mounts: mountsOf(jail),
    persist: jail.persist,
  };
}

// In rc.d/jail's order: fstab, devfs, procfs. What the fstab has mounted there already stays the only one.
function mountsOf(jail: RcJail): readonly MountSpec[] {
  const mounts = jail.fstab === null ? [] : [...readFstabMounts(jail.fstab, jail.path)];
  const add = (mount: MountSpec) => {
    if (!mounts.some(({ type, target }) => type === mount.type && target === mount.target)) {
      mounts.push(mount);
    }
  };
  if (jail.devfs) add({ type: 'devfs', target: '/dev' });
  if (jail.procfs) add({ type: 'procfs', target: '/proc' });
  return [...mounts, ...jail.mounts];
}
