import type { ExitCode } from '../exit-codes.js';

/** What is said of the program as a whole. `code` in backquotes. */
export const introduction: readonly string[] = [
  '`dfjail` makes jails, runs programs in them, shows what is there, and ends them. Jails are those of DragonFly BSD; on Linux the same is done with namespaces, as root or as an ordinary user. No other program is executed for it: not jail(8), jls(8), jexec(8), ps(1), mount(8) or ifconfig(8).',
  'A JAIL on a command line is a jid or a name, never a hostname, which can be changed from inside. Options come before the arguments of a subcommand that runs a command: what follows belongs to that command.',
  'With `--json` a subcommand prints one JSON document on stdout, and an error as one on stderr: `{"error": {"code", "message", "hint", …}}`. Tables are cut to the width of the terminal, with …; where stdout is no terminal nothing is cut. Colours are used on terminals only, and not when `NO_COLOR` is set or `TERM` is `dumb`. Whatever a jail has chosen itself (hostnames, command lines) is shown with control characters escaped, as `\\x1b`.',
];

/** The parts of the manual that belong to no subcommand. */
export const manualParts = {
  environment: [
    ['NO_COLOR', 'When it is set and not empty, no colours are used.'],
    [
      'TERM',
      'With the value `dumb` no colours are used. Passed on to commands that run on a terminal.',
    ],
    ['TMPDIR', 'Where the temporary roots of `dfjail run` are made. Default: /tmp'],
    ['DRAGONFLY_JAIL_STATE', 'The directory of the registry of jails.'],
    [
      'DRAGONFLY_JAIL_MONITOR_TIMEOUT',
      'Milliseconds after which a monitor that does not answer counts as lost; 30000 unless set.',
    ],
  ],
  files: [
    [
      '/run/dragonfly-jail',
      'The registry of root’s jails on Linux; those of others are below `$XDG_RUNTIME_DIR`.',
    ],
    ['/var/run/dragonfly-jail', 'The registry of jails on DragonFly.'],
    ['/etc/rc.conf', 'The jails of `dfjail start`, `stop`, `restart` and `status`.'],
  ],
  exitCodes: [
    { code: '0', meaning: 'It worked.' },
    { code: '1', meaning: 'The answer is no: `dfjail status` of a jail that does not run.' },
    { code: '64', meaning: 'It was called in a wrong way. Nothing was done.' },
    { code: '125', meaning: 'The jail, or dfjail itself, failed.' },
    { code: '126', meaning: 'The command was found in the jail, but cannot be executed.' },
    { code: '127', meaning: 'The command was not found in the jail.' },
    {
      code: '128+N',
      meaning: 'Signal N ended the command, or dfjail: 130 for SIGINT, 137 for SIGKILL.',
    },
  ] satisfies readonly ExitCode[],
  seeAlso: [
    ['jail', 2],
    ['rc.conf', 5],
    ['jail', 8],
    ['jexec', 8],
    ['jls', 8],
  ],
} as const;
