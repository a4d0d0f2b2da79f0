import { setTimeout as sleep } from 'node:timers/promises';
import type { Jail } from '../jail.js';
import type { ResolvedHealth } from './definition.js';

/**
 * Looks after a running service until it has failed so many looks in a row.
 *
 * @param health what a look is
 * @param jail   its jail
 * @param signal ends the looking; the promise then never settles
 * @returns what the last look found
 */
export async function watchHealth(
  health: ResolvedHealth,
  jail: Jail,
  signal: AbortSignal,
): Promise<string> {
  let failures = 0;
  try {
    for (;;) {
      await sleep(health.intervalMs, undefined, { signal });
      const problem = await look(health, jail);
      failures = problem === null ? 0 : failures + 1;
      if (problem !== null && failures >= health.failures) return problem;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return new Promise(() => {});
  }
}

async function look(health: ResolvedHealth, jail: Jail): Promise<string | null> {
  const { argv, port, timeoutMs } = health;
  if (port !== null) {
    const listening = await jail.isListening(port);
    return listening ? null : `it does not listen on port ${port}`;
  }
  const [file = '', ...args] = argv ?? [];
  try {
    // Without pipes: what the command has started may outlive it, and would hold them open.
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', stdio: 'ignore' } as const;
    const { exitCode, timedOut } = await jail.exec(file, args, options);
    if (timedOut) return `the health check took more than ${timeoutMs} ms`;
    return exitCode === 0 ? null : `the health check ended with ${exitCode ?? 'a signal'}`;
  } catch (error) {
    return `the health check could not be run: ${(error as Error).message}`;
  }
}
