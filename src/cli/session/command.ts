import type { Jail } from '../../jail.js';
import type { JailedProcess } from '../../jailed-process.js';
import type { SpawnOptions } from '../../spawn-options.js';
import { exitCodes, signalExitCode } from '../exit-codes.js';

/** A command that is to be run for whoever called dfjail. */
export interface SessionCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** All but what has to do with streams. */
  readonly options: Omit<SpawnOptions, 'stdio' | 'pty' | 'signal'>;
  /** On a terminal of its own; undefined: when stdin, stdout and stderr are terminals. */
  readonly terminal?: boolean | undefined;
}

/** How a command ended, or how dfjail was made to leave it. */
export interface SessionEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Waits until a command runs.
 *
 * @throws what `JailedProcess` says when it cannot be run
 */
export async function whenStarted(child: JailedProcess): Promise<void> {
  if (child.pid !== undefined) return;
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

/**
 * The exit code of dfjail after a command.
 *
 * @param end how it ended
 * @returns its own, or 128 and the number of the signal, as a shell has it
 */
export function exitCodeAfter({ exitCode, signal }: SessionEnd): number {
  if (signal !== null) return signalExitCode(signal);
  return exitCode ?? exitCodes.jail;
}

/** What a jail is called in texts. */
export function jailTitle({ jid, name }: Pick<Jail, 'jid' | 'name'>): string {
  return name === null ? `jail ${jid}` : `jail ${jid} (${name})`;
}
