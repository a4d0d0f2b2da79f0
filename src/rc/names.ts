/** What there is to know of a `jail_<name>_X`. */
export interface JailVariable {
  /** `jail_X` is taken when a jail has none of its own. */
  readonly shared: boolean;
  /** Known to rc.d/jail; else only this package looks at it. */
  readonly rcd: boolean;
}

const shared: JailVariable = { shared: true, rcd: true };
const own: JailVariable = { shared: false, rcd: true };
const added: JailVariable = { shared: true, rcd: false };

/** Every `jail_<name>_X` by its X. See rc.conf(5), and docs/rc.md for those that this package adds. */
export const jailVariables: Readonly<Record<string, JailVariable>> = {
  rootdir: own,
  hostname: own,
  ip: own,
  interface: shared,
  exec: own,
  exec_start: shared,
  exec_stop: shared,
  devfs_enable: shared,
  procfs_enable: shared,
  mount_enable: shared,
  fstab: shared,
  flags: shared,
  consolelog: shared,
  capabilities: added,
  limits: added,
  mounts: added,
  tmpfs: added,
  exec_stop_timeout: added,
  persist: added,
  depends: { shared: false, rcd: false },
};

/** The variables `jail_X` that are about all jails. */
export const globalVariables: readonly string[] = [
  'enable',
  'list',
  'default_set_hostname_allow',
  'default_socket_unixiproute_only',
  'default_sysvipc_allow',
  'default_chflags_allow',
  'default_raw_sockets_allow',
  'set_hostname_allow',
  'socket_unixiproute_only',
  'sysvipc_allow',
];

/** Variables of other systems, and of other times, with what to say of them. */
export const foreignVariables: Readonly<Record<string, string>> = {
  fdescfs_enable: 'devfs has /dev/fd',
  fdesc_enable: 'devfs has /dev/fd',
  devfs_ruleset: 'it is FreeBSD’s; a jail’s /dev has harmless devices only',
  parameters: 'it is FreeBSD’s; see jail_<name>_capabilities',
  vnet_interface: 'it is FreeBSD’s',
  vnet_enable: 'it is FreeBSD’s',
  fib: 'it is FreeBSD’s',
  zfs_dataset: 'it is FreeBSD’s',
  exec_prestart: 'it is FreeBSD’s',
  exec_poststart: 'it is FreeBSD’s',
  exec_prestop: 'it is FreeBSD’s',
  exec_poststop: 'it is FreeBSD’s',
  ip6: 'put addresses of both families into jail_<name>_ip',
};
