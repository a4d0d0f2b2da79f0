import type { Native } from '../native.js';

// Its connection ends when the monitor does: mostly it has ended by the time that we hear of it, or a moment later.
const PROMPT_MS = 2;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 100;
// A monitor that is still there after this does not keep the program alive any longer.
const PATIENCE_MS = 5000;

/**
 * Waits until a monitor has ended and takes its exit status, so that it is no zombie even where Node is pid 1. By its
 * pid and by asking again: the program's own SIGCHLD handling is left alone.
 *
 * @param native the addon
 * @param pid    a monitor that this process started and whose connection has ended
 */
export function reapMonitor(native: Native, pid: number): Promise<void> {
  return new Promise((resolve) => {
    const started = performance.now();
    const attempt = (wait: number) => {
      const waited = performance.now() - started;
      if (native.reapMonitor(pid) !== null) {
        resolve();
      } else if (waited < PROMPT_MS) {
        setImmediate(attempt, wait);
      } else {
        const timer = setTimeout(attempt, wait, Math.min(wait * 2, LONGEST_WAIT_MS));
        if (waited > PATIENCE_MS) timer.unref();
      }
    };
    attempt(FIRST_WAIT_MS);
  });
}
