import { invalidValue } from './errors.js';
import { signalNumber } from './signals.js';
import {
  assertArray,
  assertFilledText,
  assertInteger,
  assertKnownKeys,
  assertObject,
  assertText,
} from './validate.js';

/** How to end a jail. */
export interface StopOptions {
  /** A program of the jail and its arguments, run first, as its root, for at most `graceMs`. Default: none. */
  command?: readonly string[];
  /** What every process is sent then. Default `SIGTERM`. */
  signal?: NodeJS.Signals;
  /** ms from then on after which what still runs is killed, 0 to 2,147,483,647. Default 5000; 0 kills at once. */
  graceMs?: number;
}

/** Checked {@link StopOptions}. */
export interface ResolvedStop {
  readonly command: readonly string[] | null;
  readonly signal: number;
  readonly graceMs: number;
}

const DEFAULT_GRACE_MS = 5000;
const MAX_GRACE_MS = 0x7fffffff;

/**
 * Checks the options of `jail.stop()`.
 *
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveStop(options: unknown): ResolvedStop {
  assertObject(options, 'options');
  assertKnownKeys(options, ['command', 'signal', 'graceMs'], 'options', { timeout: 'use graceMs' });
  const { command, signal = 'SIGTERM', graceMs = DEFAULT_GRACE_MS } = options;
  const number = signalNumber(signal);
  if (number === 0) throw invalidValue('signal', 'a signal that is sent', signal);
  assertInteger(graceMs, 'graceMs', 0, MAX_GRACE_MS);
  return { command: command === undefined ? null : resolveArgv(command), signal: number, graceMs };
}

function resolveArgv(value: unknown): readonly string[] {
  assertArray(value, 'command', 'an array of a program and its arguments');
  if (value.length === 0) throw invalidValue('command', 'a program at least', value);
  return Array.from(value, (item: unknown, index) => {
    if (index === 0) assertFilledText(item, 'command[0]', 'a program');
    else assertText(item, `command[${index}]`);
    return item as string;
  });
}
