import type { CommandText, Option } from '../command.js';
import { type Words, words } from './words.js';

/**
 * Completion for tcsh.
 *
 * @param commands all subcommands
 * @returns to be read with `source`
 */
export function tcshCompletion(commands: readonly CommandText[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const rules = [
    `'p/1/(${names} help --help --version)/'`,
    ...unique(commands.flatMap(optionRules)),
    `'c/--/(${unique(commands.flatMap(({ options }) => Object.keys(options))).join(' ')})/'`,
    ...commands.flatMap(argumentRules),
  ];
  return `# tcsh completion of dfjail: dfjail completion tcsh > ~/.dfjail.tcsh; source ~/.dfjail.tcsh
complete dfjail \\
  ${rules.join(' \\\n  ')}
`;
}

// By the word before, whatever the subcommand: tcsh knows no more.
function optionRules({ options }: CommandText): string[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const list = source(valuesOf(option));
    if (option.type !== 'string' || list === null) return [];
    return [`'n/--${name}/${list}/'`];
  });
}

function argumentRules({ name, completes }: CommandText): string[] {
  const list = source(words(completes));
  return list === null ? [] : [`'n/${name}/${list}/'`];
}

function valuesOf({ choices, completes }: Option): Words {
  return words(choices ?? completes);
}

function source({ list, command, files }: Words): string | null {
  if (files === 'directory') return 'd';
  if (files === 'file') return 'f';
  if (files === 'program') return 'c';
  if (command !== undefined) return `\`${command}\``;
  return list.length === 0 ? null : `(${list.join(' ')})`;
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
