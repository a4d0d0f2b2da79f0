import { closeSync } from 'node:fs';
import { exclusively } from '../exclusively.js';
import { Jail } from '../jail.js';
import type { JailInfo } from '../reports.js';
import { openConsoleLog } from './console-log.js';
import { filesOf, type RcFiles } from './files.js';
import { findRunning, isInUse } from './find-running.js';
import { removeIdFile } from './id-file.js';
import { describe } from './jail-status.js';
import { endLeftover } from './leftover.js';
import { type RcOptions, type ResolvedOptions, resolveOptions } from './options.js';
import type { RcJail } from './rc-jail.js';
import { endOf, runProgram } from './run-program.js';
import type { RcStatus } from './status.js';
import { takeDown } from './take-down.js';

/**
 * Stops a jail as rc.d/jail does, whichever of the two has started it: exec_stop in it, for at most
 * `jail_<name>_exec_stop_timeout`; TERM to what still runs, after `graceMs` KILL; mounts and addresses are taken back in
 * reverse, and the id file is removed. A jail that does not run is no error; an id file that it left is removed.
 *
 * @param jail    of {@link loadRcConf}
 * @param options see {@link RcOptions}
 * @returns when the jail is gone; `changed` is false when nothing ran
 * @throws JailError, JailSystemError what `jail.stop()` throws; what could not be unmounted; steps `id-file`,
 *   `console-log`. That exec_stop failed is a process warning: the jail is ended nevertheless.
 * @see rc.d/jail `stop`
 * @example await stopJail(conf.jails.get('www'), { graceMs: 10_000 });
 */
export async function stopJail(jail: RcJail, options: RcOptions = {}): Promise<RcStatus> {
  const resolved = resolveOptions(options);
  const files = filesOf(jail, resolved);
  return exclusively(files.idFile, () => stop(jail, files, resolved));
}

/** {@link stopJail} for who has waited for the jail's turn. */
export async function stop(
  jail: RcJail,
  files: RcFiles,
  options: ResolvedOptions,
): Promise<RcStatus> {
  const { running, hasIdFile } = findRunning(jail, files.idFile);
  if (running !== null) await end(jail, running, files, options);
  const leftover = await endLeftover(jail, files.idFile, options);
  // It was rc.d/jail's, and has ended by itself: its mounts have not.
  if (running === null && hasIdFile && !isInUse(jail)) takeDown(jail, jail.path);
  removeIdFile(files.idFile);
  const changed = running !== null || leftover;
  return describe(jail, files, findRunning(jail, files.idFile), changed);
}

async function end(
  jail: RcJail,
  running: JailInfo,
  files: RcFiles,
  options: ResolvedOptions,
): Promise<void> {
  const opened = await Jail.open(running.jid);
  const { signal } = options;
  const kill = () => void opened.signal('SIGKILL');
  signal?.addEventListener('abort', kill);
  try {
    if (jail.execStopArgv.length > 0) await runStop(opened, jail, files, signal);
    await opened.stop({ graceMs: signal?.aborted ? 0 : options.graceMs });
  } finally {
    signal?.removeEventListener('abort', kill);
    await opened[Symbol.asyncDispose]();
  }
  if (running.name === null) takeDown(jail, running.path);
}

async function runStop(
  opened: Jail,
  jail: RcJail,
  { consoleLog }: RcFiles,
  signal: AbortSignal | null,
): Promise<void> {
  if (signal?.aborted) return;
  let log: number | null = null;
  try {
    log = openConsoleLog(consoleLog, jail.path, false);
    const exit = await runProgram(opened, jail.execStopArgv, log, {
      timeout: jail.execStopTimeoutMs,
      killSignal: 'SIGKILL',
      ...(signal !== null && { signal }),
    });
    if (exit.exitCode !== 0) warn(jail, endOf(exit));
  } catch (error) {
    warn(jail, `could not be run: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    if (log !== null) closeSync(log);
  }
}

function warn(jail: RcJail, what: string): void {
  const message = `The exec_stop of jail ${jail.name} ${what}`;
  process.emitWarning(message, { type: 'JailWarning', code: 'ERR_JAIL_RC' });
}
