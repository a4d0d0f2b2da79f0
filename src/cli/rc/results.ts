import { exitCodes, signalExitCode } from '../exit-codes.js';
import { describeFailure, printFailure } from '../failure.js';
import { type Io, printJson, printLine } from '../io.js';
import { escapeText } from '../output/escape.js';

/** What became of one jail. */
export interface JailResult {
  /** As it was asked for, or as it stands in jail_list. */
  readonly name: string;
  /** What was done, for people: `started as jail 3`. */
  readonly done: string | null;
  readonly jid: number | null;
  readonly state: 'running' | 'stopped' | 'stale' | null;
  readonly error: unknown;
}

/** What became of all that were asked for. */
export interface Report {
  readonly results: readonly JailResult[];
  /** It was interrupted. */
  readonly signal: NodeJS.Signals | null;
}

/**
 * Tells what became of jails: on stdout what was done, on stderr what failed.
 *
 * @param report of each jail
 * @param name of the subcommand
 * @param json for programs: one document on stdout, with the errors in it
 * @param io where to
 * @returns the exit code
 */
export function tellResults(
  { results, signal }: Report,
  name: string,
  json: boolean,
  io: Io,
): number {
  if (json)
    printJson(
      io.stdout,
      results.map((result) => document(result, name)),
    );
  else for (const result of results) tellResult(result, name, io);
  if (signal !== null) return signalExitCode(signal);
  return results.some(({ error }) => error !== null) ? exitCodes.jail : exitCodes.ok;
}

function document({ name, jid, state, error }: JailResult, command: string) {
  return { name, jid, state, error: error === null ? null : describeFailure(error, command) };
}

function tellResult({ name, done, error }: JailResult, command: string, io: Io): void {
  if (error !== null) printFailure(error, io, `${command} ${name}`);
  else printLine(io.stdout, `${escapeText(name)}: ${done ?? ''}`);
}
