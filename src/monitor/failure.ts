import { JailError, JailSystemError } from '../errors.js';
import type { FailedBody } from './protocol.js';

/**
 * The error that a monitor reported.
 *
 * @param body what it said
 * @param jid  the jail that it was about, if there is one yet
 */
export function failureOf(body: FailedBody, jid?: number): JailError {
  if (body.code !== '') return ownFailure(body);
  return new JailSystemError({
    errno: body.errno,
    syscall: body.syscall,
    step: body.step,
    path: body.path,
    jid,
    // What it knows beside: who it is that holds a process, for one.
    hint: body.detail === '' ? undefined : body.detail,
  });
}

/** The connection to a monitor ended while something was waiting for it. */
export function monitorLost(cause?: unknown): JailError {
  if (isSilence(cause)) {
    const { message, hint } = cause;
    return new JailError('ERR_JAIL_MONITOR_LOST', message, { hint });
  }
  const message = 'The jail’s monitor is gone: what it ran was killed, and its end is not known';
  return new JailError('ERR_JAIL_MONITOR_LOST', message, { cause });
}

/**
 * A monitor has not said anything for too long.
 *
 * @param patienceMs how long it was waited for
 * @param pid        which, as far as it has told
 */
export function monitorSilent(patienceMs: number, pid: number | null): JailError {
  const who = pid === null ? '' : ` (process ${pid})`;
  const message = `The jail’s monitor${who} has not answered for ${patienceMs / 1000} s`;
  const hint =
    'where this program made a jail that is not persistent, it was killed and the jail with it; else: is it stopped, or traced? continue it, or kill it and call recover()';
  return new JailError('ERR_JAIL_MONITOR_LOST', message, { hint });
}

/** Has a connection ended because the monitor was silent? */
export function isSilence(cause: unknown): cause is JailError {
  return cause instanceof JailError && cause.code === 'ERR_JAIL_MONITOR_LOST';
}

/** The jail is stopped, or was: nothing can be run in it. */
export function jailStopped(jid: number): JailError {
  return new JailError('ERR_JAIL_STOPPED', `Jail ${jid} is stopped: nothing can be run in it`);
}

/** The handle of a jail was closed: the jail may well run on. */
export function handleClosed(jid: number): JailError {
  const hint = 'open the jail again with Jail.open()';
  return new JailError('ERR_JAIL_STOPPED', `This handle of jail ${jid} is closed`, { hint });
}

// Not of the system, but known to have happened at a step and about something.
function ownFailure(body: FailedBody): JailError {
  const about = body.path === '' ? '' : `, '${body.path}'`;
  const step = body.step === '' ? '' : ` (step ${body.step})`;
  const detail = body.detail === '' ? body.code : body.detail.replace(/\.$/, '');
  const error = new JailError(body.code, `${detail}${about}${step}`);
  const { step: name, path } = body;
  return Object.assign(error, name === '' ? {} : { step: name }, path === '' ? {} : { path });
}
