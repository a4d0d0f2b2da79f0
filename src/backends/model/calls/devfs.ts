import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';

/** A rule of devfs(5): a device has a second name. */
export interface DeviceLink {
  /** A device, or `folder/*`. */
  readonly device: string;
  /** Below the root of the mount: `jail/null`, or `jail/folder/`. */
  readonly link: string;
}

/** ioctl(2) DEVFS_RULE_ADD on /dev/devfs: for the mount of that name. Only uid 0 is asked for: a jail's will do. */
export function addDeviceLink(
  kernel: Kernel,
  process: ProcessEntry,
  mountPoint: string,
  rule: DeviceLink,
): void {
  if (process.uid !== 0) throw kernel.error('EPERM');
  const rules = kernel.deviceRules.get(mountPoint) ?? [];
  kernel.deviceRules.set(mountPoint, [...rules, rule]);
}

/** ioctl(2) DEVFS_RULE_CLEAR. */
export function clearDeviceRules(kernel: Kernel, process: ProcessEntry, mountPoint: string): void {
  if (process.uid !== 0) throw kernel.error('EPERM');
  kernel.deviceRules.delete(mountPoint);
}
