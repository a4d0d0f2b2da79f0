import { layout59 } from '../../dragonfly/layout-5.9.js';
import { sees } from '../credential.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { processFlag } from '../process-table.js';
import type { Waited } from './lifecycle.js';
import { isPrivileged } from './privilege.js';
import { deliver, stop } from './signals.js';

const TRACED = processFlag('P_TRACED');
/** The lowest bits of a wait status, see wait(2). */
const STOPPED = 0x7f;

/** Does somebody trace it? */
export function isTraced({ flags }: ProcessEntry): boolean {
  return (flags & TRACED) !== 0;
}

/** ptrace(2) PT_ATTACH: it stops, and whoever traces it is its parent from now on. The order of the checks is the kernel's. */
export function attach(kernel: Kernel, tracer: ProcessEntry, pid: number): void {
  const target = visibleTo(kernel, tracer, pid);
  if (target === tracer || target.pid <= 1) throw kernel.error('EINVAL');
  if (isTraced(target)) throw kernel.error('EBUSY');
  const foreign = target.credential.ruid !== tracer.credential.ruid || hasChangedUser(target);
  if (foreign && !isPrivileged(kernel, tracer, 'PRIV_ROOT')) throw kernel.error('EPERM');
  target.flags |= TRACED;
  target.tracedFrom = target.parent;
  reparent(target, tracer);
  stop(target, layout59.signals.SIGSTOP ?? 17);
}

/** ptrace(2) PT_DETACH: it goes on, a child of its parent again if there still is one, with what came meanwhile. */
export function detach(kernel: Kernel, tracer: ProcessEntry, pid: number): void {
  const target = tracedBy(kernel, tracer, pid);
  target.flags &= ~TRACED;
  giveBack(kernel, target);
  goOn(kernel, target, 0);
}

/** ptrace(2) PT_CONTINUE, with a signal or none (0): for what came meanwhile it stops again. */
export function resume(kernel: Kernel, tracer: ProcessEntry, pid: number, signal: number): void {
  const target = tracedBy(kernel, tracer, pid);
  // What its tracer gives it it does not stop for.
  target.flags &= ~TRACED;
  deliver(kernel, target, signal);
  if (target.isZombie) return;
  target.flags |= TRACED;
  goOn(kernel, target, 0);
}

function goOn(kernel: Kernel, target: ProcessEntry, signal: number): void {
  const { pending } = target;
  target.pending = null;
  target.state = 'active';
  target.stoppedBy = null;
  deliver(kernel, target, pending ?? signal);
}

/** A signal for somebody who is traced, SIGKILL included: he stops, and his tracer decides what becomes of it. */
export function holdFor(target: ProcessEntry, signal: number): void {
  if (target.state === 'stopped') target.pending = signal;
  else stop(target, signal);
}

/** The tracer has ended: nobody is left who could let it go on. */
export function orphan(kernel: Kernel, target: ProcessEntry): void {
  target.flags &= ~TRACED;
  deliver(kernel, target, layout59.signals.SIGKILL ?? 9);
}

/** wait4(2) with WUNTRACED, of what has stopped: once for each time. */
export function waitStopped(kernel: Kernel, parent: ProcessEntry, pid: number): Waited | null {
  const child = [...parent.children].find((one) => one.pid === pid);
  if (child === undefined) throw kernel.error('ECHILD');
  if (child.state !== 'stopped' || child.stoppedBy === null) return null;
  const status = (child.stoppedBy << 8) | STOPPED;
  child.stoppedBy = null;
  return { pid, status };
}

/** Its parent of before gets a child back that it had lost to a tracer. @returns whether there is one */
export function giveBack(kernel: Kernel, child: ProcessEntry): boolean {
  const { tracedFrom } = child;
  child.tracedFrom = null;
  if (tracedFrom === null || kernel.processes.find(tracedFrom.pid) !== tracedFrom) return false;
  reparent(child, tracedFrom);
  return true;
}

function hasChangedUser({ flags }: ProcessEntry): boolean {
  return (flags & processFlag('P_SUGID')) !== 0;
}

function visibleTo(kernel: Kernel, caller: ProcessEntry, pid: number): ProcessEntry {
  const target = kernel.processes.find(pid);
  if (target === undefined || target.isZombie || !sees(caller.credential, target.credential)) {
    throw kernel.error('ESRCH');
  }
  return target;
}

function tracedBy(kernel: Kernel, tracer: ProcessEntry, pid: number): ProcessEntry {
  const target = visibleTo(kernel, tracer, pid);
  if (!isTraced(target)) throw kernel.error('EPERM');
  if (target.parent !== tracer || target.state !== 'stopped') throw kernel.error('EBUSY');
  return target;
}

function reparent(child: ProcessEntry, parent: ProcessEntry): void {
  child.parent?.children.delete(child);
  child.parent = parent;
  parent.children.add(child);
}
