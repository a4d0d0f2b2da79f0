import { layout59 } from '../../dragonfly/layout-5.9.js';
import { type Credential, sees } from '../credential.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { exit, isExiting } from './lifecycle.js';
import { holdFor, isTraced } from './tracing.js';

const S = layout59.signals;
const IGNORED = ['SIGURG', 'SIGCONT', 'SIGCHLD', 'SIGIO', 'SIGWINCH', 'SIGINFO'].map((n) => S[n]);
const STOPPING = ['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].map((name) => S[name]);
const MAX_SIGNAL = 63;

/** kill(2). @returns how many were signalled */
export function kill(kernel: Kernel, caller: ProcessEntry, pid: number, signal: number): number {
  if (!Number.isInteger(signal) || signal < 0 || signal > MAX_SIGNAL) throw kernel.error('EINVAL');
  if (pid > 0) return killOne(kernel, caller, pid, signal);
  if (pid === -1) return killAll(kernel, caller, signal);
  return killGroup(kernel, caller, pid === 0 ? caller.pgid : -pid, signal);
}

function killOne(kernel: Kernel, caller: ProcessEntry, pid: number, signal: number): number {
  const target = kernel.processes.find(pid);
  if (target === undefined) throw kernel.error('ESRCH');
  if (!maySignal(caller.credential, target)) throw kernel.error('EPERM');
  deliver(kernel, target, signal);
  return 1;
}

// Whoever may not be signalled is passed over; that there is nobody else is EPERM, or ESRCH where they cannot be seen.
function killGroup(kernel: Kernel, caller: ProcessEntry, pgid: number, signal: number): number {
  const members = kernel.processes
    .inGroup(pgid)
    .filter((member) => isOrdinary(member) && sees(caller.credential, member.credential));
  return killEach(kernel, caller, members, signal);
}

function killAll(kernel: Kernel, caller: ProcessEntry, signal: number): number {
  const others = kernel.processes.visible(caller.credential).filter(isOrdinary);
  return killEach(
    kernel,
    caller,
    others.filter((process) => process !== caller),
    signal,
  );
}

function killEach(
  kernel: Kernel,
  caller: ProcessEntry,
  targets: readonly ProcessEntry[],
  signal: number,
): number {
  if (targets.length === 0) throw kernel.error('ESRCH');
  const allowed = targets.filter((target) => maySignal(caller.credential, target));
  if (allowed.length === 0) throw kernel.error('EPERM');
  for (const target of allowed) deliver(kernel, target, signal);
  return allowed.length;
}

function isOrdinary({ pid }: ProcessEntry): boolean {
  return pid > 1;
}

function maySignal(sender: Credential, target: ProcessEntry): boolean {
  const { credential } = target;
  if (!sees(sender, credential)) return false;
  if (sender.uid === 0) return true;
  return [credential.ruid, credential.svuid].some((id) => id === sender.uid || id === sender.ruid);
}

/** What a signal does. */
export function deliver(kernel: Kernel, target: ProcessEntry, signal: number): void {
  if (signal === 0 || target.isZombie || isExiting(target) || !isOrdinary(target)) return;
  if (isTraced(target)) {
    holdFor(target, signal);
    return;
  }
  if (signal === S.SIGKILL) {
    exit(kernel, target, signal);
    return;
  }
  if (signal === S.SIGCONT) target.state = 'active';
  if (signal !== S.SIGSTOP && target.handler?.(signal) === true) return;
  if (STOPPING.includes(signal)) stop(target, signal);
  else if (!IGNORED.includes(signal)) exit(kernel, target, signal);
}

/** As SIGSTOP does. */
export function stop(target: ProcessEntry, signal: number): void {
  target.state = 'stopped';
  target.stoppedBy = signal;
}
