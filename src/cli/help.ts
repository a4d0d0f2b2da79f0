import type { CommandText, Option, Options } from './command.js';
import type { Io } from './io.js';
import { printLine } from './io.js';
import { type Paint, paint } from './output/colours.js';
import { wrapText } from './output/wrap.js';
import { loadAllCommands } from './registry.js';

const MAX_WIDTH = 100;
const DEFAULT_WIDTH = 80;
const INDENT = 2;
const TERM_WIDTH = 26;

/** Prints the help of one subcommand. */
export function printHelp(command: CommandText, io: Io): void {
  io.stdout.write(helpText(command, widthOf(io), paint(io.stdout, io.env)));
}

/** Prints what subcommands there are. */
export async function printOverview(io: Io): Promise<void> {
  const width = widthOf(io);
  const colour = paint(io.stdout, io.env);
  const commands = await loadAllCommands();
  const lines = [
    'Jails: make them, run programs in them, look at them and end them.',
    '',
    heading('Usage', colour),
    '  dfjail SUBCOMMAND [ARGUMENT…]',
    '  dfjail SUBCOMMAND --help',
    '  dfjail --version',
    '',
    heading('Subcommands', colour),
    ...commands.flatMap(({ name, summary }) => entry(name, summary, width, 14)),
    '',
    'dfjail help SUBCOMMAND has examples of each; most take --json. The manual: man dfjail',
  ];
  printLine(io.stdout, lines.join('\n'));
}

/**
 * The help of a subcommand.
 *
 * @param command what to say
 * @param width of a line, in characters
 * @param colour how headings are marked
 */
export function helpText(command: CommandText, width: number, colour: Paint): string {
  const { name, summary, synopsis, description, options, examples, exitCodes } = command;
  const paragraphs = description.flatMap((text) => ['', ...wrapText(plainText(text), width)]);
  return [
    `dfjail ${name}: ${summary}`,
    '',
    heading('Usage', colour),
    ...synopsis.map((form) => `  dfjail ${name}${form === '' ? '' : ` ${form}`}`),
    ...paragraphs,
    '',
    heading('Options', colour),
    ...optionLines(options, width),
    '',
    heading('Examples', colour),
    ...examples.flatMap((example) => [
      ...wrapText(`${plainText(example.text)}:`, width, 2),
      `    $ ${example.command}`,
    ]),
    '',
    heading('Exit codes', colour),
    ...exitCodes.flatMap(({ code, meaning }) => entry(code, meaning, width, 8)),
    '',
  ].join('\n');
}

/** How an option is written: `-p, --path DIR`. */
export function optionTerm(name: string, { short, value, type }: Option): string {
  const long = `--${name}${type === 'string' ? ` ${value ?? 'VALUE'}` : ''}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}

/** Text of the descriptions without its marks. */
export function plainText(text: string): string {
  return text.replaceAll('`', '');
}

function optionLines(options: Options, width: number): string[] {
  return Object.entries(options).flatMap(([name, option]) =>
    entry(optionTerm(name, option), plainText(option.help), width, TERM_WIDTH),
  );
}

function heading(text: string, colour: Paint): string {
  return colour.bold(`${text}:`);
}

// "  term      text", with the text beside the term, or below a term that is too long.
function entry(term: string, text: string, width: number, termWidth: number): string[] {
  const column = INDENT + termWidth;
  const lines = wrapText(text, width, column);
  const head = `${' '.repeat(INDENT)}${term}`;
  if (head.length + 2 > column) return [head, ...lines];
  const [first = '', ...others] = lines;
  return [`${head.padEnd(column)}${first.trimStart()}`, ...others];
}

function widthOf({ stdout }: Io): number {
  return Math.min(stdout.columns ?? DEFAULT_WIDTH, MAX_WIDTH);
}
