import type { ModelKernel } from './kernel.js';
import type { ModelProcess } from './model-process.js';
import { type Circumstances, during } from './translate.js';

const PROGRAM = '/usr/local/libexec/jail-monitor';

/** Starts a monitor: a child of the host's program, in a session of its own. @throws JailSystemError step `monitor` */
export function startMonitor(kernel: ModelKernel): ModelProcess {
  const where = (syscall: string): Circumstances => ({ step: 'monitor', syscall, path: PROGRAM });
  const monitor = during(where('fork'), () => kernel.host.fork());
  try {
    during(where('setsid'), () => monitor.setsid());
    during(where('execve'), () => monitor.execve(PROGRAM, [PROGRAM]));
  } catch (error) {
    endMonitor(kernel, monitor);
    throw error;
  }
  return monitor;
}

/** The end of a monitor, and the host's program hears of it. */
export function endMonitor(kernel: ModelKernel, monitor: ModelProcess): void {
  if (!monitor.hasEnded) monitor.exit(0);
  reap(kernel.host, monitor.pid);
}

const ATTEMPTS = 3;

/** Reaps a child; an interrupted wait is tried again. @returns its wait status; null: it has not ended, or is no child */
export function reap(parent: ModelProcess, pid: number): number | null {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return parent.wait(pid)?.status ?? null;
    } catch {}
  }
  return null;
}

/**
 * Runs something in a child that then ends: what one must not do oneself.
 *
 * @param run  what it does; its errors come through
 */
export function inChild<T>(parent: ModelProcess, step: string, run: (child: ModelProcess) => T): T {
  const child = during({ step, syscall: 'fork' }, () => parent.fork());
  try {
    return run(child);
  } finally {
    if (!child.hasEnded) child.exit(0);
    reap(parent, child.pid);
  }
}
