import { JailError, JailSystemError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import { type Io, printJson, printLine } from './io.js';
import { paint } from './output/colours.js';
import { escapeText } from './output/escape.js';

/** The command line cannot be understood. Exit code 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_USAGE';
  readonly hint: string | undefined;

  /**
   * @param message one sentence
   * @param hint what to do about it; else the help of the subcommand is pointed to
   */
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** How to tell of an error. */
export interface Report {
  readonly json: boolean;
  /** The subcommand; empty: dfjail itself. */
  readonly name: string;
}

/** An error for programs. */
export interface FailureDocument {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly step?: string;
  readonly path?: string;
  readonly jid?: number;
  readonly file?: string;
  readonly line?: number;
}

/**
 * Tells an error on stderr, with what to do about it.
 *
 * @param error what was thrown
 * @param io where to
 * @param report for whom
 * @returns the exit code that goes with it
 */
export function reportFailure(error: unknown, io: Io, report: Report): number {
  if (report.json) {
    printJson(io.stderr, { error: describeFailure(error, report.name) });
  } else {
    printFailure(error, io, report.name);
  }
  return exitCodeOf(error);
}

/** An error as a line or two for people, without anything done about the exit code. */
export function printFailure(error: unknown, io: Io, name: string): void {
  const { message, hint } = describeFailure(error, name);
  const who = name === '' ? 'dfjail' : `dfjail ${name}`;
  const colour = paint(io.stderr, io.env);
  printLine(io.stderr, `${colour.bad(`${who}:`)} ${escapeText(message)}`);
  if (hint !== undefined) printLine(io.stderr, `  ${colour.dim('hint:')} ${escapeText(hint)}`);
}

/**
 * What there is to say of an error.
 *
 * @param error what was thrown
 * @param name the subcommand
 */
export function describeFailure(error: unknown, name: string): FailureDocument {
  const { message, code } = plain(error);
  const hint = hintOf(error, code, name);
  const where = error instanceof JailError ? placeOf(error) : {};
  return { code, message, ...(hint !== undefined && { hint }), ...where };
}

function plain(error: unknown): { message: string; code: string } {
  if (!(error instanceof Error)) return { message: String(error), code: 'ERR_UNKNOWN' };
  const code: unknown = Reflect.get(error, 'code');
  return { message: error.message, code: typeof code === 'string' ? code : 'ERR_UNKNOWN' };
}

function placeOf(error: JailError): Partial<FailureDocument> {
  const found: Record<string, unknown> = {};
  for (const key of ['errno', 'syscall', 'step', 'path', 'jid', 'file', 'line'] as const) {
    const value: unknown = Reflect.get(error, key);
    if (value !== undefined) found[key] = value;
  }
  return found;
}

function hintOf(error: unknown, code: string, name: string): string | undefined {
  const own = error instanceof JailError || error instanceof UsageError ? error.hint : undefined;
  const help = `dfjail ${name === '' ? '' : `${name} `}--help shows how it is used`;
  if (error instanceof UsageError) return own ?? help;
  return own === undefined ? hints[code] : inWordsOfTheProgram(own);
}

// The library's hints name its functions; who sits at a terminal has the subcommands.
function inWordsOfTheProgram(hint: string): string {
  return hint
    .replaceAll('listJails()', '‘dfjail ls’')
    .replaceAll('probe()', '‘dfjail probe’')
    .replaceAll('recover()', '‘dfjail recover’');
}

const hints: Readonly<Record<string, string>> = {
  ERR_JAIL_NOT_FOUND: '‘dfjail ls’ shows the jails that are there',
  ERR_JAIL_EXISTS: 'take another --name, or stop the other jail: ‘dfjail stop NAME’',
  ERR_JAIL_ADDRESS_IN_USE: 'take another --ip: ‘dfjail ls’ shows those of the jails',
  ERR_JAIL_MONITOR_LOST: '‘dfjail recover’ takes back what may be left of the jail',
  ERR_JAIL_UNSUPPORTED: '‘dfjail probe’ tells what can be done here',
  ERR_JAIL_NATIVE: 'npm rebuild dragonfly-jail builds the native part again',
  EACCES: 'try it as root',
  EPERM: 'try it as root; ‘dfjail probe’ tells what can be done here',
};

/**
 * The exit code of an error: 126 and 127 for commands that could not be run, as in a shell.
 *
 * @param error what was thrown
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof JailSystemError && error.step === 'exec') return execExitCode(error.code);
  return exitCodes.jail;
}

function execExitCode(code: string): number {
  return code === 'ENOENT' || code === 'ENOTDIR' ? exitCodes.notFound : exitCodes.notExecutable;
}
