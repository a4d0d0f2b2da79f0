import type { Duplex } from 'node:stream';
import type { ResolvedLimit } from '../../limits.js';
import type { ResolvedSpawn } from '../../spawn-options.js';
import { noSuchPrivileges } from '../dragonfly/limits.js';
import { assertRoomForArguments } from './calls/lifecycle.js';
import { deliver } from './calls/signals.js';
import type { CommandEnds } from './command-ends.js';
import type { ModelKernel } from './kernel.js';
import type { ModelProcess } from './model-process.js';
import { reap } from './monitor.js';
import { OpenFile } from './open-file.js';
import { type Account, type CommandIdentity, findIdentity } from './passwd.js';
import { findProgram } from './program-table.js';
import { giveMemory, startProgram } from './running-program.js';
import { during } from './translate.js';

/** Of the native monitor, for an environment without a PATH. */
const DEFAULT_PATH = '/usr/bin:/bin';
/** makedev(3) of some pts(4). */
const TERMINAL_DEVICE = 0x2301;

/**
 * Runs a command in a jail, step by step as the native monitor does: a child of the monitor enters it, becomes what it
 * is to be, and is the program from then on.
 *
 * @param limits of the jail; those of the command come after them
 * @returns the process, which runs
 * @throws JailSystemError with the step; JailError `ERR_JAIL_UNKNOWN_USER`, `ERR_JAIL_UNKNOWN_GROUP`. No child is left.
 */
export function launch(
  kernel: ModelKernel,
  monitor: ModelProcess,
  jid: number,
  command: ResolvedSpawn,
  limits: readonly ResolvedLimit[],
  ends: CommandEnds,
): ModelProcess {
  if (command.noNewPrivileges) throw noSuchPrivileges();
  const identity = identify(kernel, jid, command);
  const child = during({ step: 'enter', syscall: 'fork', jid }, () => monitor.fork());
  try {
    enter(child, jid);
    apply(child, command, limits, identity, ends);
    execute(kernel, child, command, identity.account, ends);
  } catch (error) {
    if (!child.hasEnded) child.exit(1);
    reap(monitor, child.pid);
    throw error;
  }
  return child;
}

function identify(kernel: ModelKernel, jid: number, command: ResolvedSpawn): CommandIdentity {
  const prison = during({ step: 'enter', syscall: 'jail_attach', jid }, () => {
    const found = kernel.prisons.find(jid);
    if (found === undefined) throw kernel.error('EINVAL');
    return found;
  });
  return findIdentity(prison, command);
}

function enter(child: ModelProcess, jid: number): void {
  const where = (syscall: string) => ({ step: 'enter', syscall, jid });
  during(where('closefrom'), () => child.closeFrom(0));
  during(where('setsid'), () => child.setsid());
  during(where('jail_attach'), () => child.jailAttach(jid));
  during(where('chdir'), () => child.chdir('/'));
}

function apply(
  child: ModelProcess,
  command: ResolvedSpawn,
  limits: readonly ResolvedLimit[],
  { account, groups }: CommandIdentity,
  ends: CommandEnds,
): void {
  ends.kinds.forEach((kind, fd) => {
    if (kind === 'terminal') child.entry.terminal = TERMINAL_DEVICE;
    if (kind !== null) child.entry.files.set(fd, new OpenFile(kind, ofTheHost(child)).retain());
  });
  for (const { name, soft, hard } of [...limits, ...command.limits]) {
    const where = { step: 'limits', syscall: 'setrlimit', path: name };
    during(where, () => child.setrlimit(name, soft, hard));
  }
  const cwd = command.cwd ?? (command.login && account.home !== '' ? account.home : '/');
  during({ step: 'cwd', syscall: 'chdir', path: cwd }, () => child.chdir(cwd));
  during({ step: 'groups', syscall: 'setgroups' }, () => child.setgroups(groups));
  during({ step: 'gid', syscall: 'setgid' }, () => child.setgid(groups[0] ?? account.gid));
  const login = account.name === '' && account.uid === 0 ? 'root' : account.name;
  during({ step: 'uid', syscall: 'setlogin' }, () => child.setlogin(login));
  during({ step: 'uid', syscall: 'setuid' }, () => child.setuid(account.uid));
}

// Its descriptors were made on the host: they hold no jail.
function ofTheHost({ entry }: ModelProcess) {
  return { ...entry.credential, prison: null };
}

function execute(
  kernel: ModelKernel,
  child: ModelProcess,
  command: ResolvedSpawn,
  account: Account,
  ends: CommandEnds,
): void {
  const env = environment(command, account);
  const where = { step: 'exec', syscall: 'execve', path: command.file };
  const { path, program, argv0 } = during(where, () =>
    findProgram(kernel.programs, child, command.file, env.PATH ?? DEFAULT_PATH),
  );
  const argv = argv0.length > 1 ? [...argv0, ...command.argv.slice(1)] : command.argv;
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  during(where, () => assertRoomForArguments([...argv, ...pairs]));
  during(where, () => child.execve(path, argv));
  giveMemory(child);
  const { stdin, stdout, stderr, others, terminal } = ends;
  const start = { file: path, argv, env, stdin, stdout, stderr, others, terminal };
  terminal?.attach((name) => signalGroup(kernel, child, name));
  // In its own time, as a program would: whoever started it hears of that first.
  setImmediate(() => {
    child.entry.ended.push(() => endStreams(others));
    if (!child.hasEnded) startProgram(kernel, kernel.programs, child, program, start);
    else ends.close();
  });
}

// The command leads the group in the foreground, as the model has no job control.
function signalGroup(kernel: ModelKernel, { entry }: ModelProcess, name: string): void {
  for (const member of kernel.processes.inGroup(entry.pid)) {
    deliver(kernel, member, kernel.layout.signals[name] ?? 0);
  }
}

function endStreams(streams: readonly (Duplex | null)[]): void {
  for (const stream of streams) stream?.end();
}

function environment(command: ResolvedSpawn, account: Account): Record<string, string> {
  const env: Record<string, string> = {};
  if (command.login) {
    const { name, home, shell } = account;
    Object.assign(env, { HOME: home || '/', SHELL: shell || '/bin/sh', USER: name, LOGNAME: name });
    if (command.terminalType !== '') env.TERM = command.terminalType;
  }
  for (const pair of command.env) {
    const at = pair.indexOf('=');
    env[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return env;
}
