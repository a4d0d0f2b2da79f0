import type { Capabilities } from '../capabilities.js';
import type { Limits } from '../limits.js';
import type { MountSpec } from '../mounts.js';
import type { RcWarning } from './shell/variables.js';

/** Who runs exec_start: from jail_<name>_flags. */
export interface RcUser {
  /** A name, or a number in digits. */
  readonly name: string;
  /** Whose accounts it is looked up in: `-U` those of the jail, `-u` those of the host. */
  readonly of: 'jail' | 'host';
}

/** A jail as rc.conf(5) describes it: plain data, which can be kept in a file. */
export interface RcJail {
  /** As in jail_list. */
  readonly name: string;
  /** jail_<name>_rootdir. */
  readonly path: string;
  /** jail_<name>_hostname. */
  readonly hostname: string;
  /** jail_<name>_ip: the first of each family is what connections come from. */
  readonly addresses: readonly string[];
  /** Where DragonFly adds the addresses. */
  readonly interface: string | null;
  /** Run when the jail starts, until it ends; as text, see {@link execStartArgv}. */
  readonly execStart: string;
  /** The program of {@link execStart} and its arguments. */
  readonly execStartArgv: readonly string[];
  /** Run before the jail is ended; null: nothing. */
  readonly execStop: string | null;
  /** The program of {@link execStop} and its arguments; empty: nothing. */
  readonly execStopArgv: readonly string[];
  /** jail_<name>_flags as it stands there, or its default. */
  readonly flags: string;
  /** Of exec_start; null: root of the jail. */
  readonly user: RcUser | null;
  /** `-l`: HOME, SHELL, USER and the home directory of {@link user}. */
  readonly login: boolean;
  /** The file with the jail's mounts; null: jail_<name>_mount_enable is not on. */
  readonly fstab: string | null;
  /** Is there a /dev? The package's own, with harmless devices only. */
  readonly devfs: boolean;
  /** Is there a /proc? */
  readonly procfs: boolean;
  /** jail_<name>_mounts and jail_<name>_tmpfs, after everything else. */
  readonly mounts: readonly MountSpec[];
  /** jail_<name>_capabilities, and what rc.conf(5) sets for all jails; those that nothing is said of are left out. */
  readonly capabilities: Partial<Capabilities>;
  /** jail_<name>_limits. */
  readonly limits: Limits;
  /** jail_<name>_depends: jails that are started before this one and stopped after it. */
  readonly dependsOn: readonly string[];
  /** jail_<name>_consolelog; null: `jail_<name>_console.log` in the directory for logs. */
  readonly consoleLog: string | null;
  /** How long exec_stop may take. */
  readonly execStopTimeoutMs: number;
  /** As for `Jail.create()`: false: the jail ends with the program that has started it. */
  readonly persist: boolean | 'until-empty';
}

/** What rc.conf(5) says of jails. */
export interface RcConf {
  /** jail_enable. */
  readonly enabled: boolean;
  /** jail_list, in order. */
  readonly list: readonly string[];
  /** Every jail of {@link list}, by its name. */
  readonly jails: ReadonlyMap<string, RcJail>;
  /** The names in the order in which they are started: as in {@link list}, but after those they depend on. */
  readonly order: readonly string[];
  /** Everything that the files assign, as sh(1) has it after reading them. */
  readonly variables: ReadonlyMap<string, string>;
  /** What was taken but is doubtful: unknown variables, values that are neither yes nor no, … */
  readonly warnings: readonly RcWarning[];
}
