import { sees } from '../credential.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { processFlag } from '../process-table.js';
import { isPrivileged } from './privilege.js';
import { deliver, stop } from './signals.js';

const TRACED = processFlag('P_TRACED');

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
  stop(target);
}

/** ptrace(2) PT_DETACH: it goes on, a child of its parent again if there still is one. */
export function detach(kernel: Kernel, tracer: ProcessEntry, pid: number): void {
  const target = tracedBy(kernel, tracer, pid);
  target.flags &= ~TRACED;
  giveBack(kernel, target);
  target.state = 'active';
}

/** ptrace(2) PT_CONTINUE, with a signal or none (0). */
export function resume(kernel: Kernel, tracer: ProcessEntry, pid: number, signal: number): void {
  const target = tracedBy(kernel, tracer, pid);
  target.state = 'active';
  target.flags &= ~TRACED; // what it is given it does not stop for
  deliver(kernel, target, signal);
  if (!target.isZombie) target.flags |= TRACED;
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
