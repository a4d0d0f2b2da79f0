import { Jail } from '../../jail.js';
import { defineCommand } from '../command.js';
import { commandExitCodes } from '../exit-codes.js';
import { jailId } from '../find-jail.js';
import { printJson } from '../io.js';
import { commandOptions, sessionCommand } from '../options/command.js';
import { collect } from '../session/collect.js';
import { exitCodeAfter } from '../session/command.js';
import { session } from '../session/session.js';

/** `dfjail exec`, what jexec(8) is for. */
export const command = defineCommand({
  name: 'exec',
  summary: 'run a command in a running jail',
  synopsis: ['[OPTION…] JAIL [COMMAND [ARG…]]'],
  description: [
    'Runs a command in a jail that is given by jid or name; without a COMMAND a shell. Options come before the jail: what follows it belongs to the command.',
    'The command gets the stdin, stdout and stderr of dfjail. When all three are terminals it gets a terminal of its own that appears on yours: keys, window size and colours are the command’s, and Ctrl-C goes to it. Signals that dfjail is sent are sent on to the command. With a terminal, SIGTERM and SIGHUP end dfjail, and the command is hung up on.',
    'With `--json` the output is collected (up to 64 MiB, as UTF-8) and printed with the exit status when the command has ended.',
  ],
  options: commandOptions,
  positionals: [1, 1],
  commandAfter: 1,
  completes: 'jail',
  examples: [
    { command: 'dfjail exec www', text: 'A shell in a jail' },
    {
      command: "dfjail exec -u nobody www sh -c 'id; exit 7'; echo $?",
      text: 'As another user; this prints 7',
    },
    { command: 'tar cf - . | dfjail exec -w /srv www tar xf -', text: 'Through a pipe' },
  ],
  exitCodes: commandExitCodes,
  async call({ options, positionals: [id = ''], rest, json, io }) {
    const wanted = sessionCommand(options, rest, io.env);
    const jail = await Jail.open(jailId(id));
    try {
      if (!json) return exitCodeAfter(await session(jail, wanted, io));
      const result = await collect(jail, wanted, io);
      printJson(io.stdout, { jid: jail.jid, name: jail.name, ...result });
      return exitCodeAfter(result);
    } finally {
      await jail[Symbol.asyncDispose]();
    }
  },
});
