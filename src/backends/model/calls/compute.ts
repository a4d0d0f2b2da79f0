import { layout59 } from '../../dragonfly/layout-5.9.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { deliver } from './signals.js';

const { SIGKILL = 9, SIGXCPU = 24 } = layout59.signals;
const MICROSECONDS = 1000;
const SECOND = 1_000_000;

/** A process has used a processor for some time: it is counted, and its limit holds. */
export function compute(kernel: Kernel, process: ProcessEntry, ms: number): void {
  const before = process.cpu;
  process.cpu += Math.round(ms * MICROSECONDS);
  setRunning(process, true);
  const limit = process.limits.get('cpu');
  if (limit === undefined) return;
  if (passes(before, process.cpu, limit.hard)) deliver(kernel, process, SIGKILL);
  else if (passes(before, process.cpu, limit.soft)) deliver(kernel, process, SIGXCPU);
}

/** What `kern.proc` says of its first thread. */
export function setRunning(process: ProcessEntry, running: boolean): void {
  if (process.threads[0]?.running === running) return;
  process.threads = process.threads.map((thread) => ({ ...thread, running }));
}

function passes(before: number, after: number, seconds: bigint): boolean {
  const limit = Number(seconds) * SECOND;
  return before < limit && after >= limit;
}
