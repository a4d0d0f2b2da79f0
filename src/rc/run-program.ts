import type { Jail } from '../jail.js';
import type { ProcessExit } from '../jailed-process.js';
import type { SpawnOptions } from '../spawn-options.js';

/**
 * Runs a program of the jail to its end, with everything that it writes in the console log. What it leaves running in
 * the background writes there too.
 *
 * @param jail where
 * @param argv the program and its arguments
 * @param log a descriptor
 * @param options who it runs as, and what ends it
 * @returns how it ended
 * @throws what the `'error'` of `jail.spawn()` has: it could not be run, or was aborted
 */
export async function runProgram(
  jail: Jail,
  [file = '', ...args]: readonly string[],
  log: number,
  options: SpawnOptions,
): Promise<ProcessExit> {
  const running = jail.spawn(file, args, { ...options, stdio: ['ignore', log, log] });
  let failure: Error | null = null;
  running.on('error', (error) => {
    failure ??= error;
  });
  const exit = await running.exited;
  if (failure !== null) throw failure;
  return exit;
}

/** How it ended, for a sentence. */
export function endOf({ exitCode, signal }: Pick<ProcessExit, 'exitCode' | 'signal'>): string {
  return signal === null ? `ended with exit status ${exitCode}` : `was ended by ${signal}`;
}
