import { jlsTool } from '../base/jls.js';
import { toolCommand } from '../base/tool-command.js';

/** `dfjail jls`, jls(8) to the letter. */
export const command = toolCommand(
  {
    name: 'jls',
    summary: 'list jails as jls(8) of DragonFly does',
    synopsis: [''],
    description: [
      'Prints the table of jls(8) of DragonFly, byte for byte, the newest jail first, and nothing at all when there are no jails. It takes no arguments and does not mind any.',
      'A jail chooses its own hostname, and jls prints it as it is; on a terminal, and only there, what the terminal would act on is shown as `\\x1b`. `dfjail ls` tells true rows from forged ones.',
    ],
    exitCodes: [
      { code: '0', meaning: 'It worked.' },
      { code: '1', meaning: 'The list cannot be read.' },
    ],
    examples: [
      { command: "dfjail jls | awk 'NR > 1 { print $1 }'", text: 'The jids, in a script' },
    ],
  },
  jlsTool,
);
