import { constants } from 'node:os';

/** The exit codes of `dfjail` that are not a command's own. */
export const exitCodes = {
  ok: 0,
  /** The answer is no: something that was asked about is not so. */
  no: 1,
  /** It was called in a wrong way; EX_USAGE of sysexits(3). */
  usage: 64,
  /** The jail, or dfjail itself, failed: the command did not run, or its end is not known. */
  jail: 125,
  /** The command was found but cannot be executed. */
  notExecutable: 126,
  /** There is no such command in the jail. */
  notFound: 127,
} as const;

/**
 * The exit code that shells give to what a signal has ended.
 *
 * @param signal such as `SIGINT`
 * @returns 128 and the signal's number: 130 for SIGINT
 */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** One line of the table of exit codes in a help text. */
export interface ExitCode {
  readonly code: string;
  readonly meaning: string;
}

/** Of every subcommand. */
export const commonExitCodes: readonly ExitCode[] = [
  { code: '0', meaning: 'It worked.' },
  { code: '64', meaning: 'It was called in a wrong way. Nothing was done.' },
  { code: '125', meaning: 'The jail, or dfjail itself, failed.' },
];

/** Of the subcommands that run a command in a jail. */
export const commandExitCodes: readonly ExitCode[] = [
  { code: 'N', meaning: 'The exit status of the command.' },
  { code: '64', meaning: 'dfjail was called in a wrong way. Nothing was done.' },
  { code: '125', meaning: 'The jail, or dfjail itself, failed; the command’s end is not known.' },
  { code: '126', meaning: 'The command was found in the jail, but cannot be executed.' },
  { code: '127', meaning: 'The command was not found in the jail.' },
  { code: '128+N', meaning: 'Signal N ended the command: 130 for SIGINT, 137 for SIGKILL.' },
];
