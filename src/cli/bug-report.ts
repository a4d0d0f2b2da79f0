import { existsSync, readFileSync } from 'node:fs';
import { release, type as systemType, version as systemVersion } from 'node:os';
import { selectBackend } from '../backends/select.js';
import { type InspectedPlace, inspectPlaces, OVERRIDE, places } from '../loader/load.js';
import { packageFolder } from '../loader/package-folder.js';
import { hostTuple } from '../loader/tuple.js';
import { probe } from '../probe.js';
import type { Probe } from '../reports.js';
import type { Io } from './io.js';
import { packageVersion } from './version.js';

/** Everything about this machine that may matter to somebody who looks for the cause of a problem. No secrets. */
export interface BugReport {
  readonly package: { readonly version: string; readonly folder: string };
  readonly node: { readonly version: string; readonly program: string; readonly arch: string };
  readonly system: {
    readonly name: string;
    readonly release: string;
    readonly version: string;
    /** What its native part is called: system, architecture, C library. */
    readonly tuple: string;
  };
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly native: { readonly override: string | null; readonly places: readonly InspectedPlace[] };
  readonly state: { readonly directory: string; readonly exists: boolean };
  /** Of this process, by the names of getrlimit(2)'s documentation in Node. */
  readonly limits: Readonly<Record<string, { soft: number | string; hard: number | string }>>;
  /** Settings of the kernel that jails depend on; those that are not there are left out. */
  readonly kernel: Readonly<Record<string, string>>;
}

// Each is what some jail could not be made for.
const LINUX_SETTINGS: Readonly<Record<string, string>> = {
  'cgroup.controllers': '/sys/fs/cgroup/cgroup.controllers',
  'kernel.apparmor_restrict_unprivileged_userns':
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
  'kernel.pid_max': '/proc/sys/kernel/pid_max',
  'kernel.unprivileged_userns_clone': '/proc/sys/kernel/unprivileged_userns_clone',
  'kernel.yama.ptrace_scope': '/proc/sys/kernel/yama/ptrace_scope',
  'net.ipv6.conf.default.disable_ipv6': '/proc/sys/net/ipv6/conf/default/disable_ipv6',
  'security.lsm': '/sys/kernel/security/lsm',
  'user.max_mnt_namespaces': '/proc/sys/user/max_mnt_namespaces',
  'user.max_net_namespaces': '/proc/sys/user/max_net_namespaces',
  'user.max_pid_namespaces': '/proc/sys/user/max_pid_namespaces',
  'user.max_user_namespaces': '/proc/sys/user/max_user_namespaces',
};
const STATUS_FIELDS = ['CapEff', 'NoNewPrivs', 'Seccomp'];

/**
 * Looks around on this machine.
 *
 * @param env the environment of the program
 */
export function bugReport(env: Io['env']): BugReport {
  const tuple = hostTuple();
  return {
    package: { version: packageVersion(), folder: packageFolder() },
    node: { version: process.version, program: process.execPath, arch: process.arch },
    system: { name: systemType(), release: release(), version: systemVersion(), tuple },
    user: {
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      groups: process.getgroups?.() ?? [],
    },
    native: {
      override: env[OVERRIDE] || null,
      places: inspectPlaces(places(packageFolder(), tuple, env)),
    },
    state: stateOf(env),
    limits: resourceLimits(),
    kernel: kernelSettings(),
  };
}

/** What {@link probe} tells, or why it cannot. */
export function probeOrError(): Probe | { readonly error: Error } {
  try {
    return probe();
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function stateOf(env: Io['env']): BugReport['state'] {
  try {
    const directory = selectBackend().stateDirectory(env);
    return directory === null
      ? { directory: 'none', exists: false }
      : { directory, exists: existsSync(directory) };
  } catch (error) {
    return { directory: `? ${error instanceof Error ? error.message : error}`, exists: false };
  }
}

function resourceLimits(): BugReport['limits'] {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: BugReport['limits'];
  };
  return userLimits ?? {};
}

function kernelSettings(): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, file] of Object.entries(LINUX_SETTINGS)) {
    const value = contentOf(file);
    if (value !== null) settings[name] = value;
  }
  const status = contentOf('/proc/self/status') ?? '';
  for (const name of STATUS_FIELDS) {
    const [, value] = new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status) ?? [];
    if (value !== undefined) settings[`process.${name}`] = value;
  }
  return settings;
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
