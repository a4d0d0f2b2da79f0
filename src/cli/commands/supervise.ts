import { Supervisor } from '../../supervisor/supervisor.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { printJson, printLine } from '../io.js';
import { printStatus } from '../supervise/print-status.js';
import { readDefinitions, stateOf } from '../supervise/read-file.js';
import { supervise } from '../supervise/supervise.js';

/** `dfjail supervise`: services in jails, from a file. */
export const command = defineCommand({
  name: 'supervise',
  summary: 'run services in jails, as a file describes them',
  synopsis: [
    '[--state FILE] [--keep] [--foreground NAME]… [--log-dir DIR] [--json] FILE',
    '--check [--json] FILE',
    '--status [--json] FILE',
  ],
  description: [
    'Runs services, each in a jail of its own: starts them in the order of what they depend on, waits until each is ready, restarts what ends, and stops all of them in reverse at SIGTERM or SIGINT. At SIGHUP the file is read again: what has changed is restarted, the rest is left alone. It ends by itself when every service has ended for good.',
    'FILE is JSON or rc.conf(5). JSON is an object with `services` (by their names, each with `jail`, `command`, `dependsOn`, `ready`, `health`, `restart`, `log`, `stop`, … as the API has them), `stateFile` and `onExit` (`stop` or `keep`). In `ready`, `pattern` is a regular expression. `thin` of a service, true or a list of further directories, makes the jail’s path a root with the host’s programs, read-only.',
    'The jails of an rc.conf are those of `jail_list`: `exec_start` is run in each and may end, the jail stays; `exec_stop` is run before it is ended; `jail_<name>_depends` is the order.',
    'What services write is shown line by line, control characters escaped, unless they have a `log` of their own; those of an rc.conf have their console logs.',
    '`--status` tells what the supervisor of another terminal is doing: FILE is its state file, or the JSON that names it.',
  ],
  options: {
    state: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      help: 'Where the present state is written as JSON; instead of `stateFile`. Absolute.',
    },
    keep: {
      type: 'boolean',
      help: 'Let the services run on when this ends; the next one with the same state file adopts them.',
    },
    foreground: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'The exec_start of this jail of rc.conf is its service: when it ends it is started again.',
    },
    'log-dir': {
      type: 'string',
      value: 'DIR',
      completes: 'directory',
      help: 'Where console logs are that rc.conf does not name. Default: /var/log',
    },
    check: { type: 'boolean', help: 'Only check the file: make nothing and start nothing.' },
    status: { type: 'boolean', help: 'Tell what the supervisor is doing.' },
  },
  positionals: [1, 1],
  completes: 'file',
  examples: [
    { command: 'dfjail supervise services.json', text: 'Until Ctrl-C' },
    {
      command: 'dfjail supervise --state /run/services.json --keep /etc/rc.conf',
      text: 'Until Ctrl-C; the jails of rc.conf stay',
    },
    { command: 'dfjail supervise --check services.json', text: 'Is there a mistake in it?' },
    {
      command: 'dfjail supervise --status services.json || echo something is wrong',
      text: 'Is all of it ready?',
    },
  ],
  exitCodes: [
    ...commonExitCodes,
    {
      code: '1',
      meaning:
        'A service has failed; with `--status`: not all are ready, or nobody looks after them.',
    },
  ],
  async call({ options: given, positionals, json, io }) {
    const [file = ''] = positionals;
    if (given.status) return printStatus(stateOf(file), json, io);
    const rc = { foreground: given.foreground, logDirectory: given['log-dir'] ?? '/var/log' };
    const options = {
      ...(given.state !== undefined && { stateFile: given.state }),
      ...(given.keep && { onExit: 'keep' as const }),
    };
    const read = async () => {
      const definitions = await readDefinitions(file, { rc, onlyCheck: given.check });
      return { ...definitions, options: { ...definitions.options, ...options } };
    };
    if (!given.check) return supervise({ io, json, read });
    const { services, options: all } = await read();
    const names = new Supervisor(services, all).status().map(({ name }) => name);
    if (json) printJson(io.stdout, names);
    else printLine(io.stdout, `${names.length} services: ${names.join(', ')}`);
    return undefined;
  },
});
