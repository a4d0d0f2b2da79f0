import { closeSync } from 'node:fs';
import { abortError } from '../abort.js';
import { exclusively } from '../exclusively.js';
import { Jail } from '../jail.js';
import { openConsoleLog } from './console-log.js';
import { filesOf, type RcFiles } from './files.js';
import { findRunning } from './find-running.js';
import { userOptions } from './host-user.js';
import { removeIdFile, writeIdFile } from './id-file.js';
import { jailSpec } from './jail-spec.js';
import { describe } from './jail-status.js';
import { endLeftover } from './leftover.js';
import { type RcOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { RcError } from './rc-error.js';
import type { RcJail } from './rc-jail.js';
import { endOf, runProgram } from './run-program.js';
import type { RcStatus } from './status.js';

/**
 * Starts a jail as rc.d/jail does: addresses, mounts of its fstab, /dev, /proc, the jail, its id file, and exec_start in
 * it, whose end is waited for; what that writes is in the console log. One that runs already is left alone. An id file
 * of a jail that is gone, or whose jid is another jail's by now, is replaced.
 *
 * The jail stays when this program ends, unless `jail_<name>_persist` says otherwise.
 *
 * @param jail    of {@link loadRcConf}
 * @param options see {@link RcOptions}
 * @returns how it stands then; `changed` is false when it ran already
 * @throws RcError `ERR_JAIL_RC`: exec_start failed, the fstab cannot be used, the console log is somebody else's
 * @throws JailError, JailSystemError whatever `Jail.create()` throws: `ELOOP` at step `mount` for a mount point that is
 *   reached through a symbolic link, …; steps `read`, `id-file` and `console-log` for files
 * @throws AbortError `ABORT_ERR`
 *   Whatever it throws, everything has been taken back, in reverse order.
 * @see rc.d/jail `start`
 * @example
 * const { jid } = await startJail(conf.jails.get('www'));
 */
export async function startJail(jail: RcJail, options: RcOptions = {}): Promise<RcStatus> {
  const resolved = resolveOptions(options);
  const files = filesOf(jail, resolved);
  return exclusively(files.idFile, () => start(jail, files, resolved));
}

/** {@link startJail} for who has waited for the jail's turn. */
export async function start(
  jail: RcJail,
  files: RcFiles,
  options: ResolvedOptions,
): Promise<RcStatus> {
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal);
  const found = findRunning(jail, files.idFile);
  if (found.running !== null) return describe(jail, files, found, false);
  await endLeftover(jail, files.idFile, options);
  const spec = jailSpec(jail);
  const user = userOptions(jail.user);
  const log = openConsoleLog(files.consoleLog, jail.path, true);
  try {
    const made = await Jail.create(spec, signal === null ? {} : { signal });
    await undoneOnFailure(made, files, options, async () => {
      writeIdFile(files.idFile, made.jid);
      await runStart(made, jail, { log, user, files, signal });
    });
    if (jail.persist !== false) made.unref();
  } finally {
    closeSync(log);
  }
  return describe(jail, files, findRunning(jail, files.idFile), true);
}

async function undoneOnFailure(
  made: Jail,
  { idFile }: RcFiles,
  { graceMs }: ResolvedOptions,
  steps: () => Promise<void>,
): Promise<void> {
  try {
    await steps();
  } catch (error) {
    removeIdFile(idFile);
    await made.stop({ graceMs }).catch((failure: Error) => warn(made, failure));
    throw error;
  }
}

interface StartParts {
  readonly log: number;
  readonly user: ReturnType<typeof userOptions>;
  readonly files: RcFiles;
  readonly signal: AbortSignal | null;
}

async function runStart(made: Jail, jail: RcJail, parts: StartParts): Promise<void> {
  const { log, user, files, signal } = parts;
  const exit = await runProgram(made, jail.execStartArgv, log, {
    ...user,
    login: jail.login,
    ...(signal !== null && { signal }),
  });
  if (exit.exitCode === 0) return;
  const message = `Jail ${jail.name} was not started: its exec_start ${endOf(exit)}`;
  const hint = `${files.consoleLog} has what it wrote`;
  throw new RcError(message, { file: null, line: null, hint });
}

function warn(made: Jail, failure: Error): void {
  const message = `Jail ${made.jid} could not be taken back after its start had failed: ${failure.message}`;
  process.emitWarning(message, { type: 'JailWarning', code: 'ERR_JAIL_RC' });
}
