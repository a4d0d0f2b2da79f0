import { constants } from 'node:os';
import { invalidType, invalidValue } from './errors.js';
import { type Limits, type ResolvedLimit, resolveCommandLimits } from './limits.js';
import { signalNumber } from './signals.js';
import { type ResolvedStdio, resolveStdio, type StdioOptions } from './stdio-options.js';
import { hasControlCharacter } from './text.js';
import {
  assertAbortSignal,
  assertAbsolutePath,
  assertArray,
  assertBoolean,
  assertFilledText,
  assertInteger,
  assertKnownKeys,
  assertObject,
  assertText,
  type UnknownRecord,
} from './validate.js';

/** The size of a terminal in characters. */
export interface TerminalSize {
  /** 1 to 65,535. */
  columns: number;
  /** 1 to 65,535. */
  rows: number;
}

/** How to run a command in a jail. As for `child_process.spawn`, except that nothing of this process is inherited. */
export interface SpawnOptions {
  /** Working directory inside the jail, absolute. Default `/`. */
  cwd?: string;
  /** The whole environment: nothing is inherited. PATH is added when it is not there. */
  env?: Readonly<Record<string, string | undefined>>;
  /** A name in the jail's own password file, or a uid. Default: root of the jail. See passwd(5). */
  user?: string | number;
  /** A name in the jail's own group file, or a gid. Default: the user's. See group(5). */
  group?: string | number;
  /** Supplementary groups by number, at most 15, beside `group`. Default: those of the user in the jail's own group file. */
  groups?: readonly number[];
  /** What the program is told that it was called. Default: the file, as it was given. */
  argv0?: string;
  /** As in `child_process.spawn`, but `'ipc'` is not there. Default `'pipe'`. */
  stdio?: StdioOptions;
  /** Aborting it kills the command with `killSignal`; the process then reports an AbortError. */
  signal?: AbortSignal;
  /** Milliseconds after which the command is sent `killSignal`; 0, the default, is never. */
  timeout?: number;
  /** What `timeout` and `signal` send. Default `SIGTERM`. */
  killSignal?: NodeJS.Signals | number;
  /** On top of those of the jail; hard limits above the monitor's own need root (CAP_SYS_RESOURCE). `memory` and `processes` are limits of a jail, not of a command. */
  limits?: Limits;
  /** Runs the command on a terminal of its own; `true` is one of 80 by 24. TERM is `xterm` unless env says otherwise. */
  pty?: boolean | TerminalSize;
  /**
   * Starts from the user's own environment (HOME, SHELL, USER) and home directory, as `jail -l` does. On DragonFly with
   * limits, umask, priority, PATH and other variables of the user's login class too; what is given here comes before
   * them. See login.conf(5).
   */
  login?: boolean;
  /**
   * Set-user-id bits and file capabilities give the command and what it runs nothing: see `PR_SET_NO_NEW_PRIVS` in
   * prctl(2). Not on DragonFly. Default: as the jail’s.
   */
  noNewPrivileges?: boolean;
}

/** How to run a command to its end and collect what it writes. */
export interface ExecOptions extends SpawnOptions {
  /** Written to the command's stdin, which is then closed. */
  input?: string | Uint8Array;
  /** How stdout and stderr are decoded; `'buffer'` leaves them as they are. Default `'utf8'`. */
  encoding?: BufferEncoding | 'buffer';
  /** Bytes of stdout, and of stderr, at which the command is killed. Default 1 MiB. */
  maxBuffer?: number;
}

/** A user or group: by its name inside the jail, or by its number. */
export type Identity = string | number;

/** A checked call of `spawn()` with every default filled in. */
export interface ResolvedSpawn {
  readonly file: string;
  /** With the program itself as the first. */
  readonly argv: readonly string[];
  /** `KEY=value` each, with PATH. */
  readonly env: readonly string[];
  /** Nobody asked for the PATH in env: with `login` the user's login class may have another. */
  readonly defaultPath: boolean;
  /** null: `/`, or the home directory with `login`. */
  readonly cwd: string | null;
  readonly user: Identity | null;
  readonly group: Identity | null;
  /** Beside the group; null: those of the user. */
  readonly groups: readonly number[] | null;
  readonly limits: readonly ResolvedLimit[];
  /** At least three slots. With `pty` the first three are the terminal. */
  readonly stdio: readonly ResolvedStdio[];
  readonly pty: Readonly<TerminalSize> | null;
  readonly login: boolean;
  readonly noNewPrivileges: boolean;
  /** TERM to keep with `login`; empty: none. */
  readonly terminalType: string;
  /** The file has no slash: it is looked for along PATH. */
  readonly searchPath: boolean;
  readonly signal: AbortSignal | null;
  /** Milliseconds; 0: none. */
  readonly timeout: number;
  readonly killSignal: number;
}

/** A checked call of `exec()`. */
export interface ResolvedExec extends ResolvedSpawn {
  readonly input: Uint8Array | null;
  readonly encoding: BufferEncoding | 'buffer';
  /** Bytes; Infinity: no limit. */
  readonly maxBuffer: number;
}

/** Where programs are looked for when env has no PATH: the directories of both systems. */
export const DEFAULT_PATH =
  '/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/pkg/sbin:/usr/pkg/bin';

const SPAWN_OPTIONS = [
  'cwd',
  'env',
  'user',
  'group',
  'groups',
  'argv0',
  'stdio',
  'signal',
  'timeout',
  'killSignal',
  'limits',
  'pty',
  'login',
  'noNewPrivileges',
] as const satisfies readonly (keyof SpawnOptions)[];
const EXEC_OPTIONS = ['input', 'encoding', 'maxBuffer'] as const;

// What people know from child_process and from jail(8).
const OPTION_HINTS = {
  uid: 'use user',
  gid: 'use group',
  shell: "run ['/bin/sh', '-c', …] yourself",
  detached: 'a jailed command is never part of this program’s session',
} as const;

const MAX_ID = 0xfffffffe; // (uid_t)-1 means "leave it" to setresuid(2)
const MAX_GROUPS = 15; // the kernel's 16 with the group itself
const MAX_TIMEOUT = 0x7fffffff; // setTimeout fires at once above it
const MAX_BUFFER = 1024 * 1024;
const DEFAULT_KILL_SIGNAL = constants.signals.SIGTERM;
const NO_LIMITS: readonly ResolvedLimit[] = [];
const DEFAULT_TERMINAL: TerminalSize = { columns: 80, rows: 24 };

/**
 * Checks the arguments of `spawn(file, args, options)`; `args` can be left out.
 *
 * @param file the program, inside the jail; without a slash it is looked for along PATH
 * @param args its arguments
 * @param options see {@link SpawnOptions}
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_UNSUPPORTED`
 */
export function resolveSpawn(file: unknown, args?: unknown, options?: unknown): ResolvedSpawn {
  const call = splitArguments(args, options);
  assertKnownKeys(call.options, SPAWN_OPTIONS, 'options', OPTION_HINTS);
  return resolveCommand(file, call.args, call.options);
}

/**
 * Checks the arguments of `exec(file, args, options)`; `args` can be left out.
 *
 * @param file as for {@link resolveSpawn}
 * @param args its arguments
 * @param options see {@link ExecOptions}
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_UNSUPPORTED`
 */
export function resolveExec(file: unknown, args?: unknown, options?: unknown): ResolvedExec {
  const call = splitArguments(args, options);
  assertKnownKeys(call.options, [...SPAWN_OPTIONS, ...EXEC_OPTIONS], 'options', OPTION_HINTS);
  const command = resolveCommand(file, call.args, call.options);
  const input = execInput(call.options.input);
  if (input !== null && command.stdio[0]?.kind !== 'pipe') {
    throw invalidValue('stdio[0]', "'pipe' beside input", call.options.stdio);
  }
  const encoding = execEncoding(call.options.encoding);
  return { ...command, input, encoding, maxBuffer: execMaxBuffer(call.options.maxBuffer) };
}

// spawn(file), spawn(file, args), spawn(file, options), spawn(file, args, options).
function splitArguments(
  args: unknown,
  options: unknown,
): { args: unknown; options: UnknownRecord } {
  const leftOut = options === undefined && !Array.isArray(args);
  const given = leftOut && typeof args === 'object' && args !== null ? args : options;
  if (given === undefined) return { args: args ?? [], options: {} };
  assertObject(given, 'options');
  return { args: given === args ? [] : (args ?? []), options: given };
}

function resolveCommand(file: unknown, args: unknown, options: UnknownRecord): ResolvedSpawn {
  assertFilledText(file, 'file', 'a program');
  const pty = optional(options.pty, resolvePty, null);
  const terminal = pty !== null;
  const env =
    terminal || options.env !== undefined ? resolveEnv(options.env, terminal) : DEFAULT_ENVIRONMENT;
  return {
    file,
    argv: resolveArgv(optional(options.argv0, resolveProgramName, file), args),
    env: env.variables,
    defaultPath: env.defaultPath,
    cwd: optional(options.cwd, resolveCwd, null),
    user: optional(options.user, resolveUser, null),
    group: optional(options.group, resolveGroup, null),
    groups: optional(options.groups, resolveGroups, null),
    limits: optional(options.limits, resolveCommandLimits, NO_LIMITS),
    stdio: resolveStdio(options.stdio, terminal),
    pty,
    login: optional(options.login, resolveLogin, false),
    noNewPrivileges: optional(options.noNewPrivileges, resolveNoNewPrivileges, false),
    terminalType: env.terminalType,
    searchPath: !file.includes('/'),
    signal: optional(options.signal, resolveSignal, null),
    timeout: optional(options.timeout, resolveTimeout, 0),
    killSignal: optional(options.killSignal, resolveKillSignal, DEFAULT_KILL_SIGNAL),
  };
}

// What is left out costs next to nothing: most of it mostly is.
function optional<T, D>(value: unknown, resolve: (value: unknown) => T, otherwise: D): T | D {
  return value === undefined ? otherwise : resolve(value);
}

function resolveArgv(program: string, args: unknown): readonly string[] {
  assertArray(args, 'args', 'an array of strings');
  const argv = [program];
  for (let i = 0; i < args.length; i++) {
    const arg: unknown = args[i];
    assertText(arg, `args[${i}]`);
    argv.push(arg);
  }
  return argv;
}

interface Environment {
  /** NAME=value. */
  readonly variables: readonly string[];
  readonly defaultPath: boolean;
  /** What TERM says; empty: nothing. */
  readonly terminalType: string;
}

const DEFAULT_ENVIRONMENT: Environment = {
  variables: [`PATH=${DEFAULT_PATH}`],
  defaultPath: true,
  terminalType: '',
};

function resolveEnv(value: unknown, terminal: boolean): Environment {
  const env = new Map<string, string>();
  if (value !== undefined) {
    assertObject(value, 'env', 'an object of strings');
    for (const [key, text] of Object.entries(value)) addVariable(env, key, text);
  }
  const defaultPath = !env.has('PATH');
  if (defaultPath) env.set('PATH', DEFAULT_PATH);
  if (terminal && !env.has('TERM')) env.set('TERM', 'xterm');
  const variables = Array.from(env, ([key, text]) => `${key}=${text}`);
  return { variables, defaultPath, terminalType: env.get('TERM') ?? '' };
}

function addVariable(env: Map<string, string>, key: string, text: unknown): void {
  if (text === undefined) return; // left out, as child_process does
  assertFilledText(key, 'env', 'a name of a variable');
  if (key.includes('=')) throw invalidValue('env', "a name of a variable without '='", key);
  assertText(text, `env.${key}`);
  env.set(key, text);
}

function resolveCwd(value: unknown): string {
  assertAbsolutePath(value, 'cwd', 'a directory path');
  return value;
}

function resolveUser(value: unknown): Identity {
  return resolveIdentity(value, 'user');
}

function resolveGroup(value: unknown): Identity {
  return resolveIdentity(value, 'group');
}

function resolveIdentity(value: unknown, name: string): Identity {
  if (typeof value === 'number') {
    assertInteger(value, name, 0, MAX_ID);
    return value;
  }
  const expected = `the name or number of a ${name}`;
  assertFilledText(value, name, expected);
  // What ends a field or a line in passwd(5) is in no name.
  if (/[:\s]/.test(value) || hasControlCharacter(value)) throw invalidValue(name, expected, value);
  return value;
}

function resolveGroups(value: unknown): readonly number[] {
  assertArray(value, 'groups', 'an array of group ids');
  if (value.length > MAX_GROUPS) {
    throw invalidValue('groups', `at most ${MAX_GROUPS} group ids`, value);
  }
  return Array.from(value, (group: unknown, index) => {
    assertInteger(group, `groups[${index}]`, 0, MAX_ID);
    return group;
  });
}

function resolveProgramName(value: unknown): string {
  assertText(value, 'argv0');
  return value;
}

function resolvePty(value: unknown): Readonly<TerminalSize> | null {
  if (value === false) return null;
  if (value === true) return DEFAULT_TERMINAL;
  assertObject(value, 'pty', 'true, false or { columns, rows }');
  assertKnownKeys(value, ['columns', 'rows'], 'pty', { cols: 'use columns' });
  return resolveTerminalSize(value.columns, value.rows, 'pty.');
}

/**
 * Checks the size of a terminal.
 *
 * @param columns characters in a line
 * @param rows lines
 * @param prefix of the arguments' names, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveTerminalSize(columns: unknown, rows: unknown, prefix = ''): TerminalSize {
  assertInteger(columns, `${prefix}columns`, 1, 0xffff);
  assertInteger(rows, `${prefix}rows`, 1, 0xffff);
  return { columns, rows };
}

function resolveLogin(value: unknown): boolean {
  assertBoolean(value, 'login');
  return value;
}

function resolveNoNewPrivileges(value: unknown): boolean {
  assertBoolean(value, 'noNewPrivileges');
  return value;
}

function resolveSignal(value: unknown): AbortSignal {
  assertAbortSignal(value, 'signal');
  return value;
}

function resolveTimeout(value: unknown): number {
  assertInteger(value, 'timeout', 0, MAX_TIMEOUT);
  return value;
}

function resolveKillSignal(value: unknown): number {
  if (value === null) return DEFAULT_KILL_SIGNAL;
  const number = signalNumber(value, 'killSignal');
  if (number === 0) throw invalidValue('killSignal', 'a signal that is sent', value);
  return number;
}

function execInput(value: unknown): Uint8Array | null {
  if (value === undefined) return null;
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  throw invalidType('input', 'a string or a Uint8Array', value);
}

function execEncoding(value: unknown): BufferEncoding | 'buffer' {
  if (value === undefined) return 'utf8';
  if (typeof value !== 'string') throw invalidType('encoding', 'an encoding', value);
  if (value === 'buffer' || Buffer.isEncoding(value)) return value;
  throw invalidValue('encoding', "an encoding of Buffer, or 'buffer'", value);
}

function execMaxBuffer(value: unknown): number {
  if (value === undefined) return MAX_BUFFER;
  if (value === Number.POSITIVE_INFINITY) return value;
  assertInteger(value, 'maxBuffer', 0);
  return value;
}
