import { parseArgs } from 'node:util';
import { nearestWord } from '../validate.js';
import type { Options } from './command.js';
import { UsageError } from './failure.js';

/** A command line by its parts. */
export interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
  /** The command to be run and its arguments. */
  readonly rest: readonly string[];
}

/** What a command line may look like. */
export interface Grammar {
  readonly name: string;
  readonly options: Options;
  readonly commandAfter?: number;
  readonly positionals?: readonly [least: number, most: number];
}

interface ParseError extends Error {
  readonly code?: string;
}

/**
 * Takes a command line apart.
 *
 * @param argv what follows the name of the subcommand
 * @param grammar what it may look like
 * @throws UsageError what is wrong with it, and what may have been meant
 */
export function parseCommandLine(argv: readonly string[], grammar: Grammar): Parsed {
  const cut = cutAt(argv, grammar);
  const rest = argv.slice(cut);
  const { values, positionals } = parseHead(argv.slice(0, cut), grammar);
  const [least, most] = grammar.positionals ?? [0, 0];
  if (values.help !== true) {
    if (positionals.length < least) throw new UsageError(missing(positionals.length, grammar));
    const extra = positionals[most];
    if (extra !== undefined) throw new UsageError(`There is nothing to be done with ‘${extra}’`);
  }
  return { values, positionals, rest: rest[0] === '--' ? rest.slice(1) : rest };
}

// Where the command begins that is to be run: its options are not ours.
function cutAt(argv: readonly string[], { options, commandAfter }: Grammar): number {
  if (commandAfter === undefined) return argv.length;
  const { tokens } = parseArgs({
    args: [...argv],
    options: forParser(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals = tokens.filter(({ kind }) => kind === 'positional');
  const end = tokens.find(({ kind }) => kind === 'option-terminator');
  const first = positionals[commandAfter];
  if (end !== undefined && (first === undefined || end.index < first.index)) return end.index;
  return first?.index ?? argv.length;
}

function parseHead(args: readonly string[], { options }: Grammar) {
  try {
    const strict = { args: [...args], options: forParser(options), strict: true } as const;
    const { values, positionals } = parseArgs({ ...strict, allowPositionals: true });
    return { values: withDefaults(values, options), positionals };
  } catch (error) {
    throw understandable(error as ParseError, options);
  }
}

function forParser(options: Options) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short && { short }), ...(multiple && { multiple }) },
    ]),
  );
}

type Value = Parsed['values'][string];

function withDefaults(values: Readonly<Record<string, unknown>>, options: Options) {
  const complete: Record<string, Value> = {};
  for (const [name, { type, multiple }] of Object.entries(options)) {
    const absent = type === 'boolean' ? false : multiple ? [] : undefined;
    complete[name] = (values[name] as Value) ?? absent;
  }
  return complete;
}

function missing(count: number, { name }: Grammar): string {
  return count === 0 ? `dfjail ${name} needs an argument` : `dfjail ${name} needs more arguments`;
}

// parseArgs speaks to programmers.
function understandable(error: ParseError, options: Options): Error {
  const quoted = /'(-[^' ,]*)/.exec(error.message)?.[1] ?? '';
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const known = Object.keys(options);
    const near = nearestWord(quoted.replace(/^--?/, ''), known);
    const hint = near === undefined ? undefined : `did you mean --${near}?`;
    return new UsageError(`There is no option ${quoted}`, hint);
  }
  if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const text = error.message.split('\n')[0] ?? error.message;
    return new UsageError(text.replace(/\.$/, ''));
  }
  return error;
}
