import { jexecTool } from '../base/jexec.js';
import { commandTools, toolCommand } from '../base/tool-command.js';

/** `dfjail jexec`, jexec(8) to the letter. */
export const command = toolCommand(
  {
    name: 'jexec',
    summary: 'run a command in a jail as jexec(8) of DragonFly does',
    synopsis: ['JID COMMAND [ARG…]'],
    description: [
      'Takes what jexec(8) of DragonFly takes and prints what it prints: a jid (no name) and a command, which is looked for in the jail along the caller’s PATH and gets the caller’s environment and streams. It has no options: `dfjail exec` has.',
    ],
    completes: 'jail',
    exitCodes: commandTools,
    examples: [
      { command: 'dfjail jexec 5 ps ax', text: 'The processes of jail 5, as it sees them' },
    ],
  },
  jexecTool,
);
