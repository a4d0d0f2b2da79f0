import { constants } from 'node:os';
import { JailSystemError } from '../../errors.js';
import type { Jail } from '../../jail.js';
import type { SpawnOptions } from '../../spawn-options.js';
import type { Io } from '../io.js';
import { exitCodeAfter } from '../session/command.js';
import { session } from '../session/session.js';

/** A command of a base tool, in the jail. */
export interface ToolCommand extends Omit<SpawnOptions, 'stdio' | 'pty' | 'signal'> {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const SHELL = '/bin/sh';
const DEFAULT_PATH = '/usr/bin:/bin';
/** After these the search along PATH goes on. */
const GO_ON = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'];

/**
 * Runs a program as execv(3) does: no search along PATH.
 *
 * @returns its exit status
 * @throws JailSystemError with the step that failed
 */
export async function execute(io: Io, jail: Jail, command: ToolCommand): Promise<number> {
  const { file, args, ...options } = command;
  if (file === '') throw notThere();
  // A name without a slash would be looked for along PATH.
  const path = file.includes('/') ? file : `./${file}`;
  return exitCodeAfter(
    await session(jail, { file: path, args, options: { argv0: file, ...options } }, io),
  );
}

/**
 * Runs a program as execvp(3) does: along PATH, and what the kernel cannot run by the shell.
 *
 * @returns its exit status
 * @throws JailSystemError with the step that failed
 */
export async function executeAsShell(io: Io, jail: Jail, command: ToolCommand): Promise<number> {
  const { file, args, ...options } = command;
  if (file === '') throw notThere();
  try {
    return exitCodeAfter(await session(jail, { file, args, options }, io));
  } catch (error) {
    if (!failedWith(error, ['ENOEXEC'])) throw error;
  }
  const script = await findScript(io, jail, command);
  return script.status ?? (await execute(io, jail, byShell(command, script.path)));
}

function byShell(command: ToolCommand, path: string): ToolCommand {
  return { ...command, file: SHELL, argv0: 'sh', args: [path, ...command.args] };
}

// Which one of PATH it was is not told. It may have become a program meanwhile.
async function findScript(
  io: Io,
  jail: Jail,
  command: ToolCommand,
): Promise<{ path: string; status?: number }> {
  const { file, env } = command;
  if (file.includes('/')) return { path: file };
  for (const folder of (env.PATH ?? DEFAULT_PATH).split(':')) {
    const path = `${folder === '' ? '.' : folder}/${file}`;
    try {
      return { path, status: await execute(io, jail, { ...command, file: path, argv0: file }) };
    } catch (error) {
      if (failedWith(error, ['ENOEXEC'])) return { path };
      if (!failedWith(error, GO_ON)) throw error;
    }
  }
  throw notThere();
}

function failedWith(error: unknown, codes: readonly string[]): boolean {
  return error instanceof JailSystemError && error.step === 'exec' && codes.includes(error.code);
}

function notThere(): JailSystemError {
  return new JailSystemError({ errno: constants.errno.ENOENT, syscall: 'execve', step: 'exec' });
}
