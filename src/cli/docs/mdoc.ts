import type { CommandText, Example, Option, Options } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { wrapText } from '../output/wrap.js';
import { introduction, manualParts } from './parts.js';

const LINE_WIDTH = 72;

/**
 * The manual page, for `man dfjail`.
 *
 * @param commands all subcommands, in their order
 * @param date of the page, as `July 1, 2025`
 * @returns mdoc(7)
 */
export function manualPage(commands: readonly CommandText[], date: string): string {
  const lines = [
    '.\\" Made by scripts/docs.mjs from the texts in src/cli/commands. Do not edit.',
    `.Dd ${date}`,
    '.Dt DFJAIL 8',
    '.Os',
    '.Sh NAME',
    '.Nm dfjail',
    '.Nd make jails, run programs in them, look at them and end them',
    '.Sh SYNOPSIS',
    '.Nm',
    '.Ar subcommand',
    '.Op Ar argument ...',
    '.Nm',
    '.Ar subcommand',
    '.Fl -help',
    '.Nm',
    '.Fl -version',
    '.Sh DESCRIPTION',
    ...paragraphs(introduction),
    ...commands.flatMap(subcommand),
    '.Sh ENVIRONMENT',
    ...definitions(manualParts.environment),
    '.Sh FILES',
    ...definitions(manualParts.files),
    '.Sh EXIT STATUS',
    'In general, and of the subcommands as each of them says:',
    '.Bl -tag -width 128+N',
    ...manualParts.exitCodes.flatMap(({ code, meaning }) => [`.It ${code}`, ...text(meaning)]),
    '.El',
    '.Sh EXAMPLES',
    ...commands
      .flatMap(({ examples }) => examples)
      .flatMap(example)
      .slice(1), // no .Pp after .Sh
    '.Sh SEE ALSO',
    ...manualParts.seeAlso.map(
      ([name, section], at, all) => `.Xr ${name} ${section}${at === all.length - 1 ? '' : ' ,'}`,
    ),
    '',
  ];
  return lines.join('\n');
}

function subcommand(command: CommandText): string[] {
  const { name, synopsis, summary, description, options, exitCodes } = command;
  return [
    `.Ss dfjail ${name}`,
    ...text(`${capital(summary)}.`),
    ...synopsis.map((form) => `.Dl ${argument(`dfjail ${name} ${form}`.trimEnd())}`),
    ...description.flatMap((paragraph) => ['.Pp', ...text(paragraph)]),
    ...optionList(options),
    ...exitList(exitCodes),
  ];
}

function optionList(options: Options): string[] {
  if (Object.keys(options).length === 0) return [];
  const items = Object.entries(options).flatMap(([name, option]) => optionItem(name, option));
  return ['.Pp', '.Bl -tag -width Ds -compact', ...items, '.El'];
}

function optionItem(name: string, option: Option): string[] {
  const value = option.type === 'string' ? ` Ar ${argument(option.value ?? 'VALUE')}` : '';
  const short = option.short === undefined ? '' : `Fl ${option.short} , `;
  return [`.It ${short}Fl -${name}${value}`, ...text(option.help)];
}

function exitList(exitCodes: readonly ExitCode[]): string[] {
  const special = exitCodes.filter(
    ({ code, meaning }) =>
      !manualParts.exitCodes.some((each) => each.code === code && each.meaning === meaning),
  );
  if (special.length === 0) return [];
  const items = exitCodes.flatMap(({ code, meaning }) => [`.It ${code}`, ...text(meaning)]);
  return ['.Pp', 'Exit status:', '.Bl -tag -width 128+N -compact', ...items, '.El'];
}

function example({ command, text: about }: Example): string[] {
  return ['.Pp', ...text(`${about}:`), `.Dl ${argument(command)}`];
}

function definitions(list: readonly (readonly [term: string, meaning: string])[]): string[] {
  const items = list.flatMap(([term, meaning]) => [`.It ${argument(term)}`, ...text(meaning)]);
  return ['.Bl -tag -width Ds', ...items, '.El'];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((each, at) => [...(at === 0 ? [] : ['.Pp']), ...text(each)]);
}

// Code in backquotes becomes a macro line of its own, with the punctuation that follows; sentences start new lines.
function text(paragraph: string): string[] {
  const lines: string[] = [];
  for (const [at, part] of paragraph.split('`').entries()) {
    if (at % 2 === 1) lines.push(`.Ql ${argument(part)}`);
    else addProse(lines, part);
  }
  return lines;
}

function addProse(lines: string[], prose: string): void {
  const last = lines.at(-1);
  const [, closing = '', rest = ''] = /^([.,:;)?!]*)([\s\S]*)$/.exec(prose) ?? [];
  if (closing !== '' && last?.startsWith('.Ql')) {
    lines[lines.length - 1] = `${last} ${[...closing].join(' ')}`;
    addSentences(lines, rest);
  } else {
    addSentences(lines, prose);
  }
}

function addSentences(lines: string[], prose: string): void {
  for (const sentence of prose.trim().split(/(?<=[.?!:]) (?=[A-Z])/)) {
    if (sentence === '') continue;
    for (const line of wrapText(sentence, LINE_WIDTH)) lines.push(protect(escapeRoff(line)));
  }
}

// A line of text may not begin like a macro.
function protect(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

// One argument of a macro: quoted, since words of two or three letters may be the names of macros.
function argument(value: string): string {
  const guard = value.length === 1 || /^[A-Z][a-z]{1,2}$/.test(value) ? '\\&' : '';
  return `"${guard}${escapeRoff(value)}"`;
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '…': '...',
  '’': '\\(cq',
  '‘': '\\(oq',
  '"': '\\(dq',
};

function escapeRoff(line: string): string {
  return line.replace(/[\\…’‘"]/g, (character) => SPECIAL[character] ?? character);
}

function capital(line: string): string {
  return line.charAt(0).toUpperCase() + line.slice(1);
}
