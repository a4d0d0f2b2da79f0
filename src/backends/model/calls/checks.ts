import type { Kernel } from '../kernel-state.js';
import { lookup } from '../place.js';
import type { ProcessEntry } from '../process.js';
import { assertPrivileged, hasCapability, isPrivileged, type Privilege } from './privilege.js';

type Check = (kernel: Kernel, process: ProcessEntry, path: string) => void;

/** Calls of which the model has only what they check: nothing happens. */
export type CheckedCall =
  | 'acct'
  | 'adjtime'
  | 'getfh'
  | 'kldload'
  | 'kldunload'
  | 'ktrace'
  | 'mlock'
  | 'msgget'
  | 'nfssvc'
  | 'nosys'
  | 'quotactl'
  | 'reboot'
  | 'rtprio'
  | 'semget'
  | 'settimeofday'
  | 'shmget'
  | 'swapon'
  | 'undelete'
  | 'usched_set'
  | 'varsym_set';

const CHECKS: Readonly<Record<CheckedCall, Check>> = {
  acct: needs('PRIV_ACCT'),
  adjtime: needs('PRIV_ADJTIME'),
  getfh: needs('PRIV_ROOT', exists),
  kldload: needs('PRIV_KLD_LOAD'),
  kldunload: needs('PRIV_KLD_UNLOAD'),
  ktrace: exists,
  mlock: needs('PRIV_ROOT'),
  msgget: ipc,
  nfssvc: missing, // it comes with a module
  nosys: missing,
  quotactl: quotas,
  reboot: needs('PRIV_REBOOT'),
  rtprio: needs('PRIV_SCHED_RTPRIO'), // a real-time priority of its own
  semget: ipc,
  settimeofday: needs('PRIV_SETTIMEOFDAY'),
  shmget: ipc,
  swapon: needs('PRIV_ROOT', exists),
  undelete: exists, // no file system here keeps what was deleted
  usched_set: needs('PRIV_SCHED_SET'),
  varsym_set: needs('PRIV_VARSYM_SYS'), // in a jail it is the jail's own
};

/** Makes one of these calls. */
export function check(
  kernel: Kernel,
  process: ProcessEntry,
  call: CheckedCall,
  path: string,
): void {
  CHECKS[call](kernel, process, path);
}

function needs(privilege: Privilege, then: Check = () => {}): Check {
  return (kernel, process, path) => {
    assertPrivileged(kernel, process, privilege);
    then(kernel, process, path);
  };
}

function exists(_kernel: Kernel, process: ProcessEntry, path: string): void {
  lookup(process, path);
}

// What is not there answers with SIGSYS, and who ignores that is told EINVAL.
function missing(kernel: Kernel): void {
  throw kernel.error('EINVAL');
}

function ipc(kernel: Kernel, { credential: { prison } }: ProcessEntry): void {
  if (prison !== null && !hasCapability(kernel, prison, 'sysvIpc')) throw kernel.error('ENOSYS');
}

// The switch that would allow it in jails is compiled out.
function quotas(kernel: Kernel, process: ProcessEntry, path: string): void {
  if (process.credential.prison !== null) throw kernel.error('EPERM');
  lookup(process, path);
  throw kernel.error('EOPNOTSUPP');
}

const NICEST = -20;
const LEAST_NICE = 20;
/** `SCHED_OTHER`. */
const ORDINARY = 2;

/** getpriority(2) of a process. */
export function getPriority(kernel: Kernel, caller: ProcessEntry, pid: number): number {
  return seenBy(kernel, caller, pid).nice;
}

/** setpriority(2) of a process. */
export function setPriority(
  kernel: Kernel,
  caller: ProcessEntry,
  pid: number,
  wanted: number,
): void {
  const target = seenBy(kernel, caller, pid);
  const own = [caller.uid, caller.credential.ruid];
  if (!own.includes(0) && !own.includes(target.uid)) throw kernel.error('EPERM');
  const nice = Math.min(LEAST_NICE, Math.max(NICEST, wanted));
  if (nice < target.nice && !isPrivileged(kernel, caller, 'PRIV_SCHED_SETPRIORITY')) {
    throw kernel.error('EACCES');
  }
  target.nice = nice;
}

/** sched_getscheduler(2), which does not look at jails. */
export function getScheduler(kernel: Kernel, caller: ProcessEntry, pid: number): number {
  const target = pid === 0 ? caller : kernel.processes.find(pid);
  if (target === undefined) throw kernel.error('ESRCH');
  return ORDINARY;
}

function seenBy(kernel: Kernel, caller: ProcessEntry, pid: number): ProcessEntry {
  const target = pid === 0 ? caller : kernel.processes.find(pid);
  const seen = kernel.processes.visible(caller.credential);
  if (target === undefined || !seen.includes(target)) throw kernel.error('ESRCH');
  return target;
}
