import { JailError, JailSystemError } from '../../errors.js';
import { Jail } from '../../jail.js';
import { probe } from '../../probe.js';
import type { Io } from '../io.js';
import { inherited } from './environment.js';
import { errorText } from './error-text.js';
import { executeAsShell } from './execute.js';
import { failedAt, ownFailure, systemFailure, ToolFailure, tellFailure } from './failure.js';
import { readJid } from './jid.js';

const USAGE = 'usage: jexec jid command [...]';
const MAX_JID = 999_998;
const ABSENT = ['ERR_JAIL_NOT_FOUND', 'ERR_JAIL_STOPPED'];

/**
 * jexec(8): runs a command in a jail that is there already, with the caller's environment.
 *
 * @param argv what follows the program's name: the jid, the command, its arguments. There are no options
 * @param io where to read, write and hear of signals
 * @returns the command's exit status, or 1
 * @see usr.sbin/jexec/jexec.c
 */
export async function jexecTool(argv: readonly string[], io: Io): Promise<number> {
  try {
    const [id = '', file, ...args] = argv;
    if (file === undefined) throw new ToolFailure(USAGE);
    const jid = readJid(id);
    const jail = await enter(jid);
    try {
      return await execute(io, jail, file, args);
    } finally {
      await jail[Symbol.asyncDispose]();
    }
  } catch (error) {
    return tellFailure(io, error);
  }
}

async function enter(jid: number): Promise<Jail> {
  try {
    if (jid >= 1 && jid <= MAX_JID) return await Jail.open(jid);
  } catch (error) {
    if (!isAbsent(error)) throw attachFailure(jid, error);
  }
  throw notAttached(jid, mayAttach() ? 'EINVAL' : 'EPERM');
}

// Who may not enter any jail is not told which there are.
function mayAttach(): boolean {
  const { backend, privileged, features } = probe();
  return backend === 'linux' || (privileged && features.jails?.available === true);
}

async function execute(io: Io, jail: Jail, file: string, args: readonly string[]): Promise<number> {
  try {
    return await executeAsShell(io, jail, { file, args, env: inherited(io) });
  } catch (error) {
    if (failedAt(error, 'enter') || isAbsent(error)) throw attachFailure(jail.jid, error);
    if (failedAt(error, 'exec')) throw systemFailure('jexec', `execvp(${file}) failed`, error);
    throw ownFailure('jexec', error);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof JailError && ABSENT.includes(error.code);
}

function attachFailure(jid: number, error: unknown): ToolFailure {
  if (isAbsent(error)) return notAttached(jid, 'EINVAL', error);
  if (!(error instanceof JailSystemError)) return ownFailure('jexec', error);
  const denied = error.code === 'EACCES'; // somebody else's, which the kernel of jails calls EPERM
  return notAttached(jid, denied ? 'EPERM' : error.code, error);
}

function notAttached(jid: number, code: string, cause?: unknown): ToolFailure {
  return new ToolFailure(`jexec: jail_attach(${jid}) failed: ${errorText(code)}`, { cause });
}
