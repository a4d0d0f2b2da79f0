import { selectBackend } from './backends/select.js';
import type { JailUsage, ProcessInfo } from './reports.js';

/**
 * Every process of the host, each with the jail it is in (`jid`; 0: none).
 *
 * @returns in the order of the kernel's list; processes that end meanwhile are left out
 * @throws JailError `ERR_JAIL_NATIVE`; JailSystemError when the process table cannot be read
 * @see ps(1), proc(5); sysctl(3) `kern.proc` on DragonFly
 * @example
 * const jailed = listProcesses().filter(({ jid }) => jid !== 0);
 */
export function listProcesses(): ProcessInfo[] {
  return selectBackend().processes();
}

/** What some processes use together. */
export function sumUsage(processes: readonly ProcessInfo[]): JailUsage {
  const usage: JailUsage = { processes: processes.length, threads: 0, rss: 0, cpuTime: 0 };
  for (const { threads, rss, cpuTime } of processes) {
    usage.threads += threads;
    usage.rss += rss;
    usage.cpuTime += cpuTime;
  }
  return usage;
}
