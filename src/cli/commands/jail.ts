import { jailTool } from '../base/jail.js';
import { commandTools, toolCommand } from '../base/tool-command.js';

/** `dfjail jail`, jail(8) to the letter. */
export const command = toolCommand(
  {
    name: 'jail',
    summary: 'make a jail as jail(8) of DragonFly does',
    synopsis: ['[-i] [-l -u USER | -U USER] PATH HOSTNAME IP-LIST COMMAND [ARG…]'],
    description: [
      'Takes what jail(8) of DragonFly takes, prints what it prints and ends as it ends, so that a script has only to put `dfjail` before it. Makes a jail and runs COMMAND in it, given by its path in the jail, with the caller’s environment and streams. The jail ends with its last process, which need not be COMMAND.',
      'IP-LIST is separated by commas and may be empty; its last address of each family is the primary one, as there. `-i` prints the jid first. `-u` runs COMMAND as a user of the host, `-U` as one of the jail; with `-l` it gets a clean environment and starts in the user’s home directory.',
      'What differs is in docs/dragonfly.md. `dfjail run` does more.',
    ],
    completes: 'directory',
    exitCodes: commandTools,
    examples: [
      {
        command: 'dfjail jail -i /var/jails/www www 127.0.0.2,10.0.0.7 /bin/sh /etc/rc',
        text: 'A complete jail',
      },
      {
        command: 'dfjail jail -l -U www /var/jails/www www 10.0.0.7 /usr/local/bin/httpd -f',
        text: 'One program, as a user of the jail',
      },
    ],
  },
  jailTool,
);
