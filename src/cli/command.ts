import { type ExitCode, exitCodes } from './exit-codes.js';
import { reportFailure, UsageError } from './failure.js';
import { printHelp } from './help.js';
import type { Io } from './io.js';
import { type Parsed, parseCommandLine } from './parse.js';

/** One option of a subcommand. */
export interface Option {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** Of a string: it may be given several times. */
  readonly multiple?: true;
  /** Of a string: what the value is called in the help. */
  readonly value?: string;
  /** Of a string: what it can be, for completions. */
  readonly choices?: readonly string[];
  /** Of a string: what kind of thing it is, for completions. */
  readonly completes?: Completion;
  readonly help: string;
}

/** What a shell can complete by itself or by asking. */
export type Completion = 'jail' | 'file' | 'directory' | 'program' | 'capability' | 'rc-jail';

/** The options of a subcommand, by their long names. */
export type Options = Readonly<Record<string, Option>>;

/** Something to try, with what it does. */
export interface Example {
  readonly command: string;
  readonly text: string;
}

/** What there is to say of a subcommand: help, manual page and completions are made of this. */
export interface CommandText {
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** What may follow the name, one form a line. */
  readonly synopsis: readonly string[];
  /** Paragraphs. `code` in backquotes. */
  readonly description: readonly string[];
  readonly options: Options;
  /** What the positional arguments are, for completions. */
  readonly completes?: Completion | readonly string[];
  readonly examples: readonly Example[];
  readonly exitCodes: readonly ExitCode[];
}

/** A subcommand that can be called. */
export interface Command extends CommandText {
  /**
   * @param argv what follows the subcommand's name
   * @param io where to read and write
   * @returns the exit code
   */
  run(argv: readonly string[], io: Io): Promise<number>;
}

/** The values of options as they were given. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { type: 'boolean' }
    ? boolean
    : O[K] extends { multiple: true }
      ? readonly string[]
      : string | undefined;
};

/** One call of a subcommand. */
export interface Call<O extends Options> {
  readonly options: OptionValues<O>;
  readonly positionals: readonly string[];
  /** The command and its arguments, of a subcommand that has `commandAfter`. */
  readonly rest: readonly string[];
  /** One JSON document is wanted on stdout. */
  readonly json: boolean;
  readonly io: Io;
}

/** A subcommand as it is written down in `commands/`. */
export interface Definition<O extends Options> extends Omit<CommandText, 'options'> {
  readonly options: O;
  /** After so many positional arguments comes a command, whose options are its own. */
  readonly commandAfter?: number;
  /** How many positional arguments there may be. Default 0, 0. */
  readonly positionals?: readonly [least: number, most: number];
  /** @returns the exit code; nothing is 0 */
  call(call: Call<O>): Promise<number | undefined> | number | undefined;
}

/** Of every subcommand. */
export const commonOptions = {
  json: { type: 'boolean', help: 'Print one JSON document; errors too, on stderr.' },
  help: { type: 'boolean', short: 'h', help: 'Show this help.' },
} as const satisfies Options;

/**
 * Makes a subcommand out of its description.
 *
 * @param definition all there is to say of it, and what it does
 * @example export const command = defineCommand({ name: 'ls', …, call: ({ io }) => list(io) });
 */
export function defineCommand<const O extends Options>(definition: Definition<O>): Command {
  const { call, positionals: _, commandAfter: __, ...text } = definition;
  const options: Options = { ...definition.options, ...commonOptions };
  const command: Command = { ...text, options, run: (argv, io) => run(argv, io) };

  async function run(argv: readonly string[], io: Io): Promise<number> {
    let json = false;
    try {
      const parsed = parseCommandLine(argv, { ...definition, options });
      json = parsed.values.json === true;
      if (parsed.values.help === true) {
        printHelp(command, io);
        return exitCodes.ok;
      }
      return (await call(toCall<O>(parsed, json, io))) ?? exitCodes.ok;
    } catch (error) {
      const asked = json || (error instanceof UsageError && argv.includes('--json'));
      return reportFailure(error, io, { json: asked, name: command.name });
    }
  }
  return command;
}

// What parseArgs gives for the options is what OptionValues says, once the ones that were left out are filled in.
function toCall<O extends Options>(parsed: Parsed, json: boolean, io: Io): Call<O> {
  const { values, positionals, rest } = parsed;
  return { options: values as OptionValues<O>, positionals, rest, json, io };
}
