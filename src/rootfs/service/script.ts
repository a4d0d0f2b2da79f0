import { basename } from 'node:path';

/** What the first line of a script says. */
export interface ScriptLine {
  /** The program that runs it. */
  readonly interpreter: string;
  /** The program that env(1), where that is the interpreter, is to look for. */
  readonly command: string | null;
}

// The kernel reads no more of a file than this to find out what it is (BINPRM_BUF_SIZE; less on older ones).
export const START_OF_PROGRAM = 256;

/**
 * Reads the `#!` line of a script.
 *
 * @param start the first bytes of the file
 * @returns null when it begins with no such line, or one that names no absolute path
 * @see execve(2), env(1)
 */
export function parseScriptLine(start: Uint8Array): ScriptLine | null {
  const text = Buffer.from(start.subarray(0, START_OF_PROGRAM)).toString('latin1');
  const [, line] = /^#!([^\n]*)/.exec(text) ?? [];
  if (line === undefined) return null;
  const utf8 = Buffer.from(line, 'latin1').toString();
  const [, interpreter = '', argument = ''] = /^[ \t]*(\S+)[ \t]*(.*?)\s*$/.exec(utf8) ?? [];
  if (!interpreter.startsWith('/') || interpreter.includes('\0')) return null;
  return { interpreter, command: basename(interpreter) === 'env' ? envCommand(argument) : null };
}

/** `-S node --flag`, `-i LANG=C node`: the first word that is no option and no assignment. */
function envCommand(argument: string): string | null {
  const words = argument.split(/\s+/).map((word) => word.replace(/^(-S|--split-string=?)/, ''));
  const command = words.find((word) => word !== '' && !word.startsWith('-') && !word.includes('='));
  return command ?? null;
}
