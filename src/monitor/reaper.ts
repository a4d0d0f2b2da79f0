import type { Native } from '../native.js';

// Its connection ends when the monitor does: mostly it has ended by the time that we hear of it, or a moment later.
const PROMPT_MS = 2;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 100;
// A monitor that is still there after this does not keep the program alive any longer.
const PATIENCE_MS = 5000;
// Nor is it waited for, when it has been killed and does not go: the kernel holds it.
const LAST_PATIENCE_MS = 5000;

/**
 * Waits until a monitor has ended and takes its exit status, so that it is no zombie even where Node is pid 1. By its
 * pid and by asking again: the program's own SIGCHLD handling is left alone.
 *
 * @param native     the addon
 * @param pid        a monitor that this process started and whose connection has ended
 * @param patienceMs after so long it is killed; null: never, one that stays with its jail is only waited for a while
 */
export function reapMonitor(native: Native, pid: number, patienceMs: number | null): Promise<void> {
  return new Promise((resolve) => {
    const started = performance.now();
    let killedAt = Number.POSITIVE_INFINITY;
    const attempt = (wait: number) => {
      const waited = performance.now() - started;
      if (native.reapMonitor(pid) !== null || waited - killedAt > LAST_PATIENCE_MS) {
        resolve();
        return;
      }
      // Not reaped, so it is still our child's pid.
      if (patienceMs === null && waited > PATIENCE_MS) resolve(); // and goes on, for there to be no zombie
      if (patienceMs !== null && waited >= patienceMs && killedAt > waited) {
        process.kill(pid, 'SIGKILL');
        killedAt = waited;
      }
      if (waited < PROMPT_MS) {
        setImmediate(attempt, wait);
      } else {
        const timer = setTimeout(attempt, wait, Math.min(wait * 2, LONGEST_WAIT_MS));
        if (waited > PATIENCE_MS) timer.unref();
      }
    };
    attempt(FIRST_WAIT_MS);
  });
}
