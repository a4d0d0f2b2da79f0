import {
  assertAbortSignal,
  assertAbsolutePath,
  assertInteger,
  assertKnownKeys,
  assertObject,
} from '../validate.js';

/** How to start and to stop jails of rc.conf(5). */
export interface RcOptions {
  /** Where `jail_<name>.id` is kept: an absolute directory. Default `/var/run`. */
  stateDirectory?: string;
  /** Where `jail_<name>_console.log` is kept: an absolute directory. Default `/var/log`. */
  logDirectory?: string;
  /** Aborts a start, which is undone then; a stop goes on without the programs of the jail being waited for. */
  signal?: AbortSignal;
  /** ms from TERM to KILL when a jail is stopped. Default 5000. */
  graceMs?: number;
}

/** Checked {@link RcOptions}. */
export interface ResolvedOptions {
  readonly stateDirectory: string;
  readonly logDirectory: string;
  readonly signal: AbortSignal | null;
  readonly graceMs: number;
}

const STATE_DIRECTORY = '/var/run';
const LOG_DIRECTORY = '/var/log';
const GRACE_MS = 5000;
const MAX_MS = 0x7fffffff;

/**
 * Checks {@link RcOptions} and fills in the defaults.
 *
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveOptions(options: unknown): ResolvedOptions {
  assertObject(options, 'options');
  const known = ['stateDirectory', 'logDirectory', 'signal', 'graceMs'];
  assertKnownKeys(options, known, 'options', { timeout: 'use graceMs' });
  const { stateDirectory = STATE_DIRECTORY, logDirectory = LOG_DIRECTORY } = options;
  const { signal, graceMs = GRACE_MS } = options;
  assertAbsolutePath(stateDirectory, 'stateDirectory', 'a directory path');
  assertAbsolutePath(logDirectory, 'logDirectory', 'a directory path');
  if (signal !== undefined) assertAbortSignal(signal, 'signal');
  assertInteger(graceMs, 'graceMs', 0, MAX_MS);
  return { stateDirectory, logDirectory, signal: signal ?? null, graceMs };
}
