import type { CommandText, Option } from '../command.js';
import { type Words, words } from './words.js';

/**
 * Completion for bash.
 *
 * @param commands all subcommands
 * @returns to be given to `eval`
 */
export function bashCompletion(commands: readonly CommandText[]): string {
  return `# bash completion of dfjail: eval "$(dfjail completion bash)"
_dfjail() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} help --help --version' -- "$word"))
    return
  fi
  case "$name $before" in
${commands.flatMap(optionCases).join('\n')}
  esac
  case "$name" in
${commands.map(commandCase).join('\n')}
  esac
}
complete -F _dfjail dfjail
`;
}

function optionCases(command: CommandText): string[] {
  return Object.entries(command.options)
    .filter(([, { type }]) => type === 'string')
    .map(([name, option]) => {
      const { short } = option;
      const patterns = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
      const either = patterns.map((pattern) => `'${command.name} ${pattern}'`).join('|');
      return `    ${either}) ${reply(valuesOf(option))}; return ;;`;
    });
}

function commandCase({ name, options, completes }: CommandText): string {
  const flags = Object.keys(options).map((option) => `--${option}`);
  const flagReply = `COMPREPLY=($(compgen -W '${flags.join(' ')}' -- "$word"))`;
  return `    ${name}) if [ "\${word#-}" != "$word" ]; then ${flagReply}; else ${reply(words(completes))}; fi ;;`;
}

function valuesOf({ choices, completes }: Option): Words {
  return words(choices ?? completes);
}

function reply({ list, command, files }: Words): string {
  if (files === 'directory') return 'COMPREPLY=($(compgen -d -- "$word"))';
  if (files === 'file') return 'COMPREPLY=($(compgen -f -- "$word"))';
  if (files === 'program') return 'COMPREPLY=($(compgen -c -- "$word"))';
  const all = [...list, ...(command === undefined ? [] : [`$(${command} 2>/dev/null)`])].join(' ');
  return all === '' ? ':' : `COMPREPLY=($(compgen -W "${all}" -- "$word"))`;
}
