import type { CommandText, Option } from '../command.js';
import { optionTerm } from '../help.js';
import { introduction, manualParts } from './parts.js';

/**
 * The document about the program.
 *
 * @param commands all subcommands, in their order
 * @returns Markdown
 */
export function markdownPage(commands: readonly CommandText[]): string {
  const contents = commands.map(({ name }) => `[${name}](#dfjail-${name})`).join(' · ');
  const lines = [
    '# dfjail',
    '',
    '<!-- Made by scripts/docs.mjs from the texts in src/cli/commands. Do not edit. -->',
    '',
    ...introduction.flatMap((text) => [text, '']),
    `Subcommands: ${contents}`,
    '',
    ...commands.flatMap(subcommand),
    '## Exit codes',
    '',
    '| code | |',
    '|---|---|',
    ...manualParts.exitCodes.map(({ code, meaning }) => `| ${code} | ${cell(meaning)} |`),
    '',
    '## Environment and files',
    '',
    '| | |',
    '|---|---|',
    ...[...manualParts.environment, ...manualParts.files].map(
      ([term, meaning]) => `| \`${term}\` | ${cell(meaning)} |`,
    ),
    '',
    '## Completion',
    '',
    'In `~/.bashrc`, `~/.zshrc` or `~/.tcshrc`:',
    '',
    '```sh',
    'eval "$(dfjail completion bash)"        # bash',
    'eval "$(dfjail completion zsh)"         # zsh, after compinit',
    'dfjail completion tcsh > ~/.dfjail.tcsh && source ~/.dfjail.tcsh   # tcsh',
    '```',
    '',
  ];
  return lines.join('\n');
}

function subcommand(command: CommandText): string[] {
  const { name, summary, synopsis, description, options, examples, exitCodes } = command;
  return [
    `## dfjail ${name}`,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    '',
    '```',
    ...synopsis.map((form) => `dfjail ${name} ${form}`.trimEnd()),
    '```',
    '',
    ...description.flatMap((text) => [text, '']),
    ...optionTable(Object.entries(options)),
    '```sh',
    ...examples.flatMap(({ command: line, text }) => [`# ${text.replaceAll('`', '')}`, line]),
    '```',
    '',
    `Exit codes: ${exitCodes.map(({ code, meaning }) => `${code}: ${meaning}`).join(' ')}`,
    '',
  ];
}

function optionTable(options: readonly (readonly [string, Option])[]): string[] {
  if (options.length === 0) return [];
  return [
    '| option | |',
    '|---|---|',
    ...options.map(
      ([name, option]) => `| \`${cell(optionTerm(name, option).trim())}\` | ${cell(option.help)} |`,
    ),
    '',
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
