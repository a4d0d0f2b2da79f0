import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { selectBackend } from '../../backends/select.js';
import { JailError } from '../../errors.js';
import { Jail } from '../../jail.js';
import type { Io } from '../io.js';
import { type Account, findHostUser, noSuchUser } from './accounts.js';
import { clean, inherited } from './environment.js';
import { errorText } from './error-text.js';
import { execute, type ToolCommand } from './execute.js';
import {
  codeOf,
  failedAt,
  ownFailure,
  systemFailure,
  ToolFailure,
  tellFailure,
} from './failure.js';
import { type Host, machine } from './host.js';
import { readIpList } from './ip-list.js';
import { type JailCall, readJailCall } from './jail-call.js';

const MAX_HOSTNAME_BYTES = 255;
const STDOUT = 1;

/**
 * jail(8): makes a jail and runs a command in it in place of the program itself. The jail ends with its last process,
 * which need not be the command.
 *
 * @param argv what follows the program's name
 * @param io where to read, write and hear of signals
 * @param host the machine that it runs on
 * @returns the command's exit status, or 1
 * @see usr.sbin/jail/jail.c
 */
export async function jailTool(
  argv: readonly string[],
  io: Io,
  host: Host = machine,
): Promise<number> {
  try {
    const call = readJailCall(argv);
    const account = call.hostUser === null ? null : findHostUser(host, call.hostUser);
    const path = resolveRoot(host, call.path);
    const addresses = readIpList(call.addresses);
    const jail = await create({ ...call, path }, addresses);
    if (call.printJid) await print(io, `${jail.jid}\n`);
    return await runInside(io, jail, { ...call, path }, { host, account });
  } catch (error) {
    return tellFailure(io, error);
  }
}

function resolveRoot(host: Host, given: string): string {
  let path: string;
  try {
    path = host.realpath(given);
  } catch (error) {
    throw systemFailure('jail', `realpath: ${given}`, error);
  }
  try {
    host.checkFolder(path);
  } catch (error) {
    throw systemFailure('jail', `chdir: ${path}`, error);
  }
  return path;
}

async function create({ path, hostname }: JailCall, addresses: readonly string[]): Promise<Jail> {
  // What the kernel says of one that does not fit.
  if (Buffer.byteLength(hostname) > MAX_HOSTNAME_BYTES) throw refused('EFAULT');
  const capabilities = selectBackend().newJailCapabilities();
  try {
    return await Jail.create({
      path,
      hostname,
      // The kernel turns the list round, and what jail(8) was given last is the primary address.
      addresses: [...addresses].reverse(),
      capabilities,
      persist: 'until-empty',
    });
  } catch (error) {
    throw createFailure(error);
  }
}

function createFailure(error: unknown): ToolFailure {
  if (isOfJailed(error)) return refused('EPERM', error);
  // The others are steps that jail(8) does not have: in words of our own.
  if (failedAt(error, 'privilege', 'root', 'jail')) return refused(error.code, error);
  return ownFailure('jail', error);
}

// Of a caller who is in a jail: the package says so, the kernel only refuses.
function isOfJailed(error: unknown): boolean {
  return (
    codeOf(error) === 'ERR_JAIL_UNSUPPORTED' && Reflect.get(Object(error), 'step') === 'privilege'
  );
}

function refused(code: string, cause?: unknown): ToolFailure {
  return new ToolFailure(`jail: jail: ${errorText(code)}`, { cause });
}

interface Surroundings {
  readonly host: Host;
  readonly account: Account | null;
}

async function runInside(
  io: Io,
  jail: Jail,
  call: JailCall,
  around: Surroundings,
): Promise<number> {
  try {
    return await execute(io, jail, commandOf(io, call, around.account));
  } catch (error) {
    throw commandFailure(error, call, around.host);
  } finally {
    await letGo(jail);
  }
}

function commandOf(io: Io, call: JailCall, account: Account | null): ToolCommand {
  const [file = '', ...args] = call.command;
  const env = call.login ? clean(io, account) : inherited(io);
  if (call.jailUser !== null) return { file, args, env, user: call.jailUser, login: call.login };
  if (account === null) return { file, args, env };
  const { uid, gid, groups, home } = account;
  const identity = { user: uid, group: gid, groups };
  if (!call.login) return { file, args, env, ...identity };
  if (home === '') throw new ToolFailure(NO_HOME);
  return { file, args, env, ...identity, cwd: home.startsWith('/') ? home : `/${home}` };
}

const NO_HOME = 'jail: no home directory';

function commandFailure(error: unknown, call: JailCall, host: Host): unknown {
  if (error instanceof ToolFailure) return error;
  if (failedAt(error, 'exec')) return systemFailure('jail', `execv: ${call.command[0]}`, error);
  if (failedAt(error, 'cwd') && call.login) return new ToolFailure(NO_HOME, { cause: error });
  if (failedAt(error, 'groups')) return systemFailure('jail', 'setgroups', error);
  if (failedAt(error, 'gid')) return systemFailure('jail', 'setgid', error);
  if (failedAt(error, 'uid')) return systemFailure('jail', 'setusercontext', error);
  if (codeOf(error) === 'ERR_JAIL_UNKNOWN_USER') return unknownUser(call, host);
  return error instanceof JailError ? ownFailure('jail', error) : error;
}

function unknownUser({ jailUser, path }: JailCall, host: Host): ToolFailure {
  const name = jailUser ?? '';
  if (host.hasPasswords(path)) return noSuchUser(name);
  return systemFailure('jail', `getpwnam: ${name}`, { code: 'ENOENT' });
}

// What the command has left behind keeps the jail; else it is gone when we are, as it would be had we been the command.
async function letGo(jail: Jail): Promise<void> {
  try {
    const left = jail.processes().filter(({ state }) => state !== 'zombie');
    if (left.length === 0) await jail.stop({ graceMs: 0 });
    else jail.unref();
  } catch (error) {
    // Its monitor saw the end first.
    if (codeOf(error) !== 'ERR_JAIL_NOT_FOUND') throw error;
  }
}

// Before the command, which gets the descriptor as it is: a stream of ours would have made it non-blocking.
async function print(io: Io, text: string): Promise<void> {
  if (io.process !== null) {
    writeSync(STDOUT, text);
    return;
  }
  if (!io.stdout.write(text)) await once(io.stdout, 'drain');
}
