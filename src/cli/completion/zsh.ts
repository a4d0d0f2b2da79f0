import type { CommandText, Option } from '../command.js';
import { plainText } from '../help.js';
import { type Words, words } from './words.js';

/**
 * Completion for zsh.
 *
 * @param commands all subcommands
 * @returns to be given to `eval`, after compinit
 */
export function zshCompletion(commands: readonly CommandText[]): string {
  return `#compdef dfjail
# zsh completion of dfjail: eval "$(dfjail completion zsh)", after compinit
_dfjail() {
  local -a names
  names=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands 'subcommand' names
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${commands.map(commandCase).join('\n')}
  esac
}
compdef _dfjail dfjail
`;
}

function commandCase({ name, options, completes }: CommandText): string {
  const specs = Object.entries(options).flatMap(([option, text]) => optionSpecs(option, text));
  const lines = [...specs, `'*:argument:${action(words(completes))}'`];
  return `    ${name}) _arguments -s ${lines.join(' \\\n      ')} ;;`;
}

function optionSpecs(name: string, option: Option): string[] {
  const { short, type, multiple, value, help } = option;
  const about = `[${plainText(help).replace(/[[\]:]/g, '\\$&')}]`;
  const argument =
    type === 'string'
      ? `:${(value ?? 'value').replaceAll(':', '\\:')}:${action(valuesOf(option))}`
      : '';
  const star = multiple ? '*' : '';
  const names = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return names.map((each) => quote(`${star}${each}${about}${argument}`));
}

function valuesOf({ choices, completes }: Option): Words {
  return words(choices ?? completes);
}

function action({ list, command, files }: Words): string {
  if (files === 'directory') return '_files -/';
  if (files === 'file') return '_files';
  if (files === 'program') return '_command_names -e';
  if (command !== undefined) return `{compadd -- \${(f)"$(${command} 2>/dev/null)"}}`;
  return list.length === 0 ? ' ' : `(${list.join(' ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
