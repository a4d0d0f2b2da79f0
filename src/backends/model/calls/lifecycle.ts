import { layout59 } from '../../dragonfly/layout-5.9.js';
import { fail } from '../kernel-error.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { processFlag } from '../process-table.js';
import { closeFrom } from './files.js';
import { waitsFor } from './terminals.js';
import { giveBack, isTraced, orphan } from './tracing.js';

/** An end that somebody waited for. */
export interface Waited {
  /** Who has ended. */
  readonly pid: number;
  /** As wait(2) has it: the signal in the lowest seven bits, the exit code above the eighth. */
  readonly status: number;
}

/** `ARG_MAX` of sys/syslimits.h. */
const MAX_ARGUMENTS = 262_144;

/** @throws KernelError E2BIG: the arguments are more than the kernel takes */
export function assertRoomForArguments(args: readonly string[]): void {
  const bytes = args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 1, 0);
  if (bytes > MAX_ARGUMENTS) fail('E2BIG');
}

/** What execve(2) changes of a process. */
export function replaceProgram(process: ProcessEntry, file: string, args: readonly string[]): void {
  const name = file.slice(file.lastIndexOf('/') + 1);
  process.command = name.slice(0, layout59.limits.command);
  process.args = [...args];
  process.flags = (process.flags | processFlag('P_EXEC')) & ~processFlag('P_SUGID');
  process.threads = [{ tid: 1, name: process.command, running: false, waitsFor: '' }];
}

/**
 * The end of a process: what it held is let go, its children go to init; it stays until it is reaped. Whoever has the
 * last descriptor of a terminal waits for its output to be read, and nothing ends that but the other side.
 */
export function exit(kernel: Kernel, process: ProcessEntry, status: number): void {
  if (process.isZombie || isExiting(process)) return;
  process.flags |= processFlag('P_WEXIT');
  process.state = 'active';
  closeAll(process, () => end(kernel, process, status));
}

/** Is it on its way out, where no signal reaches it? */
export function isExiting({ flags, isZombie }: ProcessEntry): boolean {
  return !isZombie && (flags & processFlag('P_WEXIT')) !== 0;
}

function closeAll(process: ProcessEntry, then: () => void): void {
  const pty = [...process.files.values()].map(waitsFor).find((found) => found !== null);
  if (pty == null) {
    setWaiting(process, '');
    closeFrom(process, 0);
    then();
    return;
  }
  setWaiting(process, 'ttywai');
  pty.whenRead(() => closeAll(process, then));
}

function setWaiting(process: ProcessEntry, waitsFor: string): void {
  process.threads = process.threads.map((thread) => ({ ...thread, waitsFor }));
}

function end(kernel: Kernel, process: ProcessEntry, status: number): void {
  const { init } = kernel.processes;
  for (const child of [...process.children]) adopt(kernel, init, child);
  process.state = 'zombie';
  process.exitStatus = status & 0xffff;
  process.flags |= processFlag('P_POSTEXIT');
  process.flags &= ~processFlag('P_TRACED');
  process.handler = null;
  if (process.parent === init) reapOrGiveBack(kernel, process);
  for (const told of process.ended.splice(0)) told();
}

function adopt(kernel: Kernel, init: ProcessEntry, child: ProcessEntry): void {
  child.parent?.children.delete(child);
  child.parent = init;
  init.children.add(child);
  if (child.isZombie) reapOrGiveBack(kernel, child);
  else if (isTraced(child)) orphan(kernel, child);
}

// Of one that was traced its parent is to hear, too.
function reapOrGiveBack(kernel: Kernel, ended: ProcessEntry): void {
  if (giveBack(kernel, ended) && ended.parent !== kernel.processes.init) return;
  kernel.processes.reap(ended);
}

/**
 * waitpid(2) with WNOHANG.
 *
 * @param pid -1: any child
 * @returns null: none of them has ended
 * @throws KernelError ECHILD
 */
export function wait(kernel: Kernel, parent: ProcessEntry, pid: number): Waited | null {
  const children = [...parent.children].filter((child) => pid === -1 || child.pid === pid);
  if (children.length === 0) throw kernel.error('ECHILD');
  return reapFirst(kernel, children);
}

/** waitid(2) for a jail, with WNOHANG. Children that are in no jail pass the filter of every jail. */
export function waitJail(kernel: Kernel, parent: ProcessEntry, jid: number): Waited | null {
  const children = [...parent.children].filter((child) => child.jid === 0 || child.jid === jid);
  if (children.length === 0) throw kernel.error('ECHILD');
  return reapFirst(kernel, children);
}

function reapFirst(kernel: Kernel, children: readonly ProcessEntry[]): Waited | null {
  const ended = children.find((child) => child.isZombie);
  if (ended === undefined) return null;
  const waited = { pid: ended.pid, status: ended.exitStatus };
  reapOrGiveBack(kernel, ended);
  return waited;
}
