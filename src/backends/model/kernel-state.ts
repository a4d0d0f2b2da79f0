import type { CapabilityName } from '../../capabilities.js';
import type { KernelLayout } from '../dragonfly/layout.js';
import type { DeviceLink } from './calls/devfs.js';
import type { Connections } from './connections.js';
import type { Faults } from './faults.js';
import type { ErrnoName, KernelError } from './kernel-error.js';
import type { KernelThread } from './kinfo-encoder.js';
import type { MountTable } from './mount-table.js';
import type { Network } from './network.js';
import type { Place } from './place.js';
import type { PrisonTable } from './prison-table.js';
import type { ProcessTable } from './process-table.js';
import type { Pty } from './pty.js';
import type { SocketTable } from './socket.js';
import type { SysctlBranch } from './sysctl-tree.js';
import type { KernelVersion, VersionTraits } from './versions.js';

/** What can be set. */
export interface KernelSettings {
  hostname: string;
  /** `kern.chroot_allow_open_directories`. */
  allowOpenDirectories: number;
  /** `vfs.usermount`. */
  userMount: boolean;
  /** Where the file system of the root directory comes from. */
  rootDevice: string;
}

/** The state of a model kernel, for its calls. */
export interface Kernel {
  readonly version: KernelVersion;
  readonly traits: VersionTraits;
  readonly layout: KernelLayout;
  readonly cpus: number;
  readonly settings: KernelSettings;
  /** What new jails may do; on 5.6 what all jails may do. */
  readonly template: Set<CapabilityName>;
  readonly root: Place;
  readonly mounts: MountTable;
  /** Rules of devfs, by the name that is mounted. */
  readonly deviceRules: Map<string, readonly DeviceLink[]>;
  readonly prisons: PrisonTable;
  readonly processes: ProcessTable;
  readonly kernelThreads: readonly KernelThread[];
  readonly network: Network;
  readonly sockets: SocketTable;
  readonly connections: Connections;
  /** @internal Terminals that are open. */
  readonly ptys: Set<Pty>;
  /** Domains of sockets that modules brought. */
  readonly modules: ReadonlySet<string>;
  readonly sysctl: SysctlBranch;
  readonly faults: Faults;
  /** The lock of all sysctls was left behind: nobody writes one again. */
  sysctlLockLost: boolean;
  error(code: ErrnoName): KernelError;
}
