import type { Command, CommandText } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';

/** A program of the base system. */
export type Tool = (argv: readonly string[], io: Io) => Promise<number>;

/**
 * Makes a subcommand of a program of the base system: what follows its name is the program's own, `--help` included.
 *
 * @param text what there is to say of it
 * @param run the program
 */
export function toolCommand(text: Omit<CommandText, 'options'>, run: Tool): Command {
  return { ...text, options: {}, run };
}

/** Of the programs that run a command. */
export const commandTools: readonly ExitCode[] = [
  { code: 'N', meaning: 'The exit status of the command.' },
  {
    code: '1',
    meaning: 'Everything else that went wrong, as with the program itself.',
  },
  { code: '128+N', meaning: 'Signal N ended the command.' },
];
