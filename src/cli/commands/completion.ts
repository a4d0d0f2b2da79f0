import { type CommandText, defineCommand } from '../command.js';
import { bashCompletion } from '../completion/bash.js';
import { tcshCompletion } from '../completion/tcsh.js';
import { zshCompletion } from '../completion/zsh.js';
import { commonExitCodes } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { printJson } from '../io.js';
import { loadAllCommands } from '../registry.js';

const shells: Readonly<Record<string, (commands: readonly CommandText[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  tcsh: tcshCompletion,
};

/** `dfjail completion`: what shells need to know. */
export const command = defineCommand({
  name: 'completion',
  summary: 'print what a shell needs to complete dfjail’s command lines',
  synopsis: ['bash | zsh | tcsh'],
  description: [
    'Subcommands, options, their values, and the names of jails are completed. Those of jails are asked for at the time.',
  ],
  options: {},
  positionals: [1, 1],
  completes: Object.keys(shells),
  examples: [
    { command: 'eval "$(dfjail completion bash)"', text: 'In ~/.bashrc' },
    { command: 'eval "$(dfjail completion zsh)"', text: 'In ~/.zshrc, after compinit' },
    { command: 'dfjail completion tcsh > ~/.dfjail.tcsh; source ~/.dfjail.tcsh', text: 'In tcsh' },
  ],
  exitCodes: commonExitCodes,
  async call({ positionals: [shell = ''], json, io }) {
    const make = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
    if (make === undefined) {
      throw new UsageError(`There is no completion for ‘${shell}’`, 'bash, zsh or tcsh');
    }
    const text = make(await loadAllCommands());
    if (json) printJson(io.stdout, { shell, text });
    else io.stdout.write(text);
    return undefined;
  },
});
