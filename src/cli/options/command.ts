import type { Options, OptionValues } from '../command.js';
import { UsageError } from '../failure.js';
import type { Io } from '../io.js';
import type { SessionCommand } from '../session/command.js';
import { parseEnvironment } from './environment.js';

/** The options that describe a command, of `run` and `exec`. */
export const commandOptions = {
  user: {
    type: 'string',
    short: 'u',
    value: 'USER',
    help: 'Run the command as this user of the jail, by name or number. Default: root.',
  },
  group: { type: 'string', short: 'g', value: 'GROUP', help: 'And as this group.' },
  login: {
    type: 'boolean',
    short: 'l',
    help: 'With the user’s own environment and home directory.',
  },
  'no-new-privileges': {
    type: 'boolean',
    help: 'Set-user-id programs give the command nothing. Not on DragonFly.',
  },
  env: {
    type: 'string',
    short: 'e',
    value: 'NAME[=VALUE]',
    multiple: true,
    help: 'A variable of the environment, which is empty otherwise but for PATH (and TERM). Without a VALUE: the one that dfjail has.',
  },
  cwd: {
    type: 'string',
    short: 'w',
    value: 'DIR',
    help: 'The working directory, in the jail. Default: /',
  },
  tty: {
    type: 'boolean',
    short: 't',
    help: 'Run the command on a terminal of its own. It gets one anyway when stdin, stdout and stderr are terminals.',
  },
  'no-tty': { type: 'boolean', short: 'T', help: 'Run it without a terminal.' },
} as const satisfies Options;

/** The values of {@link commandOptions}. */
export type CommandOptionValues = OptionValues<typeof commandOptions>;

const DEFAULT_COMMAND = ['/bin/sh'];

/**
 * Makes the description of a command out of the command line.
 *
 * @param options what was given by options
 * @param words the command and its arguments; none is a shell
 * @param env the environment of dfjail
 * @throws UsageError
 */
export function sessionCommand(
  options: CommandOptionValues,
  words: readonly string[],
  env: Io['env'],
): SessionCommand {
  if (options.tty && options['no-tty']) throw new UsageError('Either --tty or --no-tty');
  const [file = '', ...args] = words.length === 0 ? DEFAULT_COMMAND : words;
  const { user, group, cwd, login } = options;
  return {
    file,
    args,
    options: {
      env: parseEnvironment(options.env, env),
      login,
      ...(options['no-new-privileges'] && { noNewPrivileges: true }),
      ...(user !== undefined && { user: identity(user) }),
      ...(group !== undefined && { group: identity(group) }),
      ...(cwd !== undefined && { cwd }),
    },
    terminal: options.tty ? true : options['no-tty'] ? false : undefined,
  };
}

function identity(text: string): string | number {
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}
