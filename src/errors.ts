import { constants } from 'node:os';
import { getSystemErrorMap, inspect } from 'node:util';
import { isLinkRefused, LINK_ERROR } from './link-error.js';

/** Codes of the errors that are not the kernel's. Those of the kernel are its own names: `EPERM`, `ENOENT`, … */
export type JailErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
  | 'ERR_JAIL_ADDRESS_IN_USE'
  | 'ERR_JAIL_BAD_PROGRAM'
  | 'ERR_JAIL_EXISTS'
  | 'ERR_JAIL_LIMIT'
  | 'ERR_JAIL_MISSING_INTERPRETER'
  | 'ERR_JAIL_MISSING_LIBRARY'
  | 'ERR_JAIL_MONITOR_LOST'
  | 'ERR_JAIL_NATIVE'
  | 'ERR_JAIL_NOT_FOUND'
  | 'ERR_JAIL_NOT_READY'
  | 'ERR_JAIL_PROTOCOL'
  | 'ERR_JAIL_RC'
  | 'ERR_JAIL_STOPPED'
  | 'ERR_JAIL_UNKNOWN_GROUP'
  | 'ERR_JAIL_UNKNOWN_USER'
  | 'ERR_JAIL_UNSUPPORTED';

/** What may be told beside the message of a {@link JailError}. */
export interface JailErrorOptions {
  /** One sentence on what to do about it. */
  hint?: string | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * An error of this package. Tell errors apart by {@link JailError.code}, never by the message.
 *
 * @example
 * ```ts
 * try {
 *   await Jail.open('web');
 * } catch (error) {
 *   if (error instanceof JailError && error.code === 'ERR_JAIL_NOT_FOUND') console.log('not running');
 *   else throw error;
 * }
 * ```
 */
export class JailError extends Error {
  /** A {@link JailErrorCode}, or the name of the system's error (`EPERM`) in a {@link JailSystemError}. */
  readonly code: string;
  /** What to do about it, where that is known. */
  declare readonly hint?: string;

  /**
   * @param code what kind of error it is
   * @param message one sentence for people
   * @param options a hint and the cause
   */
  constructor(code: string, message: string, options: JailErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** What is known of a failed system call. */
export interface SystemErrorDetails extends JailErrorOptions {
  /** The system's error number; the sign does not matter. */
  errno: number;
  /** The call that failed: `mount`, `jail`, `execve`, … */
  syscall: string;
  /** The step of the operation, as `Jail.plan()` names it: `mount`, `address`, `exec`, … */
  step?: string | undefined;
  /** What the call was about: a path, an address, an interface, a user. */
  path?: string | undefined;
  /** The jail that it was about. */
  jid?: number | undefined;
  /** The error's name, where the caller knows it better than Node's own table does. */
  code?: string | undefined;
  /** The error's text, likewise. */
  description?: string | undefined;
}

/**
 * A system call failed: the kernel's own `code` (`EPERM`) and negative `errno`, and what was being done.
 * See errno(2) on DragonFly, errno(3) on Linux.
 *
 * @example
 * ```ts
 * jail.spawn('/bin/nothing').on('error', (error: JailSystemError) => {
 *   console.log(error.code, error.step, error.path); // ENOENT exec /bin/nothing
 * });
 * ```
 */
export class JailSystemError extends JailError {
  /** The system's error number, negative as in all of Node. */
  readonly errno: number;
  /** The call that failed. */
  readonly syscall: string;
  /** The step of the operation that failed. */
  declare readonly step?: string;
  /** What the call was about. */
  declare readonly path?: string;
  /** The jail that it was about. */
  declare readonly jid?: number;

  /** @param details what is known of the failed call */
  constructor(details: SystemErrorDetails) {
    const { errno, code } = nameOf(details);
    const hint = details.hint ?? hintFor(code, details.step);
    super(code, systemMessage(code, errno, details), { hint, cause: details.cause });
    this.errno = errno;
    this.syscall = details.syscall;
    if (details.step) this.step = details.step;
    if (details.path) this.path = details.path;
    if (details.jid !== undefined) this.jid = details.jid;
  }
}

// On the prototype, as with Error itself: an own property would show up whenever such an error is printed.
for (const errorClass of [JailError, JailSystemError]) {
  Object.defineProperty(errorClass.prototype, 'name', {
    value: errorClass.name,
    configurable: true,
    writable: true,
  });
}

function nameOf({ errno, code, syscall }: SystemErrorDetails): { errno: number; code: string } {
  const told = { errno: -Math.abs(errno), code: code ?? errnoName(errno) };
  return isLinkRefused({ code: told.code, syscall }) ? LINK_ERROR : told;
}

// "EPERM: operation not permitted, mount '/x' (step mount)", as the errors of node:fs are worded.
function systemMessage(code: string, errno: number, details: SystemErrorDetails): string {
  const about = details.path ? ` '${details.path}'` : '';
  const step = details.step ? ` (step ${details.step})` : '';
  const description = details.description ?? errnoMessage(errno);
  return `${code}: ${description}, ${details.syscall}${about}${step}`;
}

// The first name wins where several have one number: EAGAIN before EWOULDBLOCK, ENOTSUP before EOPNOTSUPP.
const errnoNames = new Map<number, string>();
for (const [name, value] of Object.entries(constants.errno)) {
  if (!errnoNames.has(value)) errnoNames.set(value, name);
}

/**
 * The name of an error number of the running system, as in errno(2).
 *
 * @param errno the number; the sign does not matter
 * @returns `EPERM`, …; `UNKNOWN` for a number that Node does not know
 */
export function errnoName(errno: number): string {
  return errnoNames.get(Math.abs(errno)) ?? 'UNKNOWN';
}

/**
 * The text of an error number, in the words that all of Node uses.
 *
 * @param errno the number; the sign does not matter
 * @returns `operation not permitted`, …
 */
export function errnoMessage(errno: number): string {
  const known = getSystemErrorMap().get(-Math.abs(errno));
  return (
    known?.[1] ?? otherMessages[errnoName(errno)] ?? `unknown system error ${-Math.abs(errno)}`
  );
}

// What Node has no words for and system calls of jails do say.
const otherMessages: Readonly<Record<string, string>> = {
  ECHILD: 'no child processes',
  EDEADLK: 'resource deadlock avoided',
  EDQUOT: 'disk quota exceeded',
  ENOEXEC: 'exec format error',
  ENOLCK: 'no locks available',
  ENOSTR: 'not a stream',
  ESTALE: 'stale file handle',
};

/**
 * The error of an argument that has the wrong type, `ERR_INVALID_ARG_TYPE`.
 *
 * @param name the argument, as the caller wrote it: `addresses[1].scopeid`
 * @param expected what it should have been, with its article: `a directory path`
 * @param received what it was
 * @param hint what to do about it
 */
export function invalidType(
  name: string,
  expected: string,
  received: unknown,
  hint?: string,
): JailError {
  const message = expectation(name, expected, received);
  return new JailError('ERR_INVALID_ARG_TYPE', message, { hint });
}

/**
 * The error of an argument of the right type that cannot be used, `ERR_INVALID_ARG_VALUE`. Parameters as for
 * {@link invalidType}.
 *
 * @param name the argument, as the caller wrote it
 * @param expected what it should have been
 * @param received what it was
 * @param hint what to do about it
 */
export function invalidValue(
  name: string,
  expected: string,
  received: unknown,
  hint?: string,
): JailError {
  const message = expectation(name, expected, received);
  return new JailError('ERR_INVALID_ARG_VALUE', message, { hint });
}

/**
 * The error of something that this system cannot do, `ERR_JAIL_UNSUPPORTED`: never silence.
 *
 * @param what what was asked for, as the start of the sentence: `limits.memory of a single command`
 * @param reason why it cannot be had
 * @param hint what to do instead
 */
export function unsupported(what: string, reason: string, hint?: string): JailError {
  return new JailError('ERR_JAIL_UNSUPPORTED', `${what} is not supported: ${reason}`, { hint });
}

/**
 * There is no jail with that jid or name.
 *
 * @param id what was asked for
 * @returns JailError `ERR_JAIL_NOT_FOUND`
 */
export function jailNotFound(id: number | string): JailError {
  const hint = 'listJails() tells which are there; a hostname is no name';
  return new JailError('ERR_JAIL_NOT_FOUND', `There is no jail ${JSON.stringify(id)}`, { hint });
}

function expectation(name: string, expected: string, received: unknown): string {
  return `Expected ${expected} for ${name} but received ${show(received)} of type ${typeName(received)}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

// Short, on one line, and never running code of the value's own.
function show(value: unknown): string {
  try {
    const text = inspect(value, {
      depth: 0,
      customInspect: false,
      maxStringLength: 80,
      maxArrayLength: 3,
      breakLength: Number.POSITIVE_INFINITY,
    });
    return text.length > 160 ? `${text.slice(0, 159)}…` : text;
  } catch {
    return 'a value that cannot be shown';
  }
}

const CANNOT_REGISTER =
  'the state directory cannot be made or written to: DRAGONFLY_JAIL_STATE can name another';

// Keys are "CODE step" or "CODE" alone; the more exact one is taken.
const hints: Readonly<Record<string, string>> = {
  'EPERM register':
    'somebody else’s folder is in the place of the state directory, or others may write to it: remove it, or name another by DRAGONFLY_JAIL_STATE or XDG_RUNTIME_DIR',
  'EACCES register':
    'somebody else’s folder is in the place of the state directory: name another by DRAGONFLY_JAIL_STATE or XDG_RUNTIME_DIR',
  'ELOOP register': CANNOT_REGISTER,
  'ENOTDIR register': CANNOT_REGISTER,
  'EROFS register': CANNOT_REGISTER,
  'EPERM id-map': 'user namespaces are switched off here: probe() tells by what',
  'EACCES id-map': 'user namespaces are switched off here: probe() tells by what',
  'ENOSPC id-map': 'the limit of namespaces is reached: see user.max_user_namespaces in sysctl(8)',
  'EPERM monitor':
    'what listens in the registry is not the jail’s monitor: somebody has changed the state directory',
  'EPERM mount':
    'the kernel refuses this mount to this user (probe() tells what is possible), or, on DragonFly, anything on top of a devfs or procfs: where the host has one already, leave this mount out',
  'ENOENT mount': 'the mount point must exist inside the jail, and the source on the host',
  'ENOTDIR mount': 'both the mount point and the source must be directories',
  'ELOOP mount': 'a mount point may not be reached through a symbolic link',
  'ENOENT root': 'the directory of the jail must exist before the jail is created',
  'ENOTDIR root': 'path must be a directory',
  'EACCES root': 'every directory above the root must be searchable by this user',
  'EADDRINUSE address': 'the address is in use already',
  'EPERM address': 'addresses can be configured by root only',
  'ENODEV link': 'the interface does not exist',
  'ENOENT exec':
    'the program, or the interpreter or libraries it needs, is not there inside the jail: paths are the jail’s own',
  'EACCES exec':
    'the file inside the jail is not executable, or lies on a file system mounted noexec',
  'ENOEXEC exec': 'not a program for this system: a script needs #! and its interpreter in line 1',
  'E2BIG exec': 'the arguments and the environment together are too long',
  'ENOENT cwd': 'cwd is a directory inside the jail',
  'ENOTDIR cwd': 'cwd is a directory inside the jail',
  'EACCES cwd': 'the user of the command may not enter cwd',
  'EPERM limits': 'a hard limit can be raised by root only',
  'EINVAL limits': 'the soft limit may not be above the hard one',
  'EAGAIN enter': 'a limit of processes is reached: see nproc and processes in limits',
  'EAGAIN namespaces': 'a limit of processes is reached: see nproc and processes in limits',
  'EINVAL groups':
    'more groups than the kernel takes (on DragonFly 16 with the user’s own), or a number that the jail does not have',
  'ELOOP user': 'login: the tc= of the user’s class in the jail’s /etc/login.conf lead in a circle',
  'EINVAL user':
    'login: a tc= of the user’s class in the jail’s /etc/login.conf names no class there',
  'E2BIG user': 'login: the jail’s /etc/login.conf, or the user’s class in it, is too long',
  'EPERM uid': 'only root can run commands as somebody else',
  'EPERM gid': 'only root can run commands as another group',
  'EPERM attach':
    'only root outside of jails may enter one, and with kern.chroot_allow_open_directories=0 without an open directory',
  EMFILE: 'this process has too many open files: raise its nofile limit or close some',
  ENFILE: 'the system has too many open files',
  ENOMEM: 'the system is out of memory',
  EPERM: 'this needs root, or a privilege that the process does not have: probe() tells which',
};

/**
 * The hint for a failed step.
 *
 * @param code the error's name
 * @param step the step that failed
 * @returns one sentence, or undefined where there is nothing to say
 */
export function hintFor(code: string, step?: string): string | undefined {
  const exact = step === undefined ? undefined : hints[`${code} ${step}`];
  return exact ?? hints[code];
}
