import { constants } from 'node:os';
import { invalidType, invalidValue } from './errors.js';
import { nearestWord } from './validate.js';

/** Signals by name, as the running system numbers them, see signal(3) and signal(7). */
const numbers: Readonly<Record<string, number>> = constants.signals;

/** The largest number that a signal can have: 64 on Linux, 63 real-time ones included on DragonFly. */
export const MAX_SIGNAL = 64;

// The first name wins where two have one number: SIGABRT before SIGIOT, SIGIO before SIGPOLL.
const names = new Map<number, NodeJS.Signals>();
for (const [name, value] of Object.entries(numbers)) {
  if (!names.has(value) && isSignalName(name)) names.set(value, name);
}

/**
 * Whether this system has a signal of that name.
 *
 * @param name such as `SIGTERM`
 */
export function isSignalName(name: string): name is NodeJS.Signals {
  return Object.hasOwn(numbers, name);
}

/**
 * Checks a signal and gives its number.
 *
 * @param value `'SIGTERM'`, or the number itself; 0 only asks whether there is anybody to receive one
 * @param name the argument, for messages
 * @returns 0 to {@link MAX_SIGNAL}
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (no such signal here)
 */
export function signalNumber(value: unknown, name = 'signal'): number {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0 && value <= MAX_SIGNAL) return value;
    throw invalidValue(name, `a signal from 0 to ${MAX_SIGNAL}`, value);
  }
  if (typeof value !== 'string') throw invalidType(name, 'the name or number of a signal', value);
  const upper = value.toUpperCase();
  const number = isSignalName(upper) ? numbers[upper] : undefined;
  if (number !== undefined) return number;
  const near = nearestWord(value, Object.keys(numbers));
  const hint = near === undefined ? undefined : `did you mean '${near}'?`;
  throw invalidValue(name, 'the name of a signal', value, hint);
}

/**
 * The name of a signal.
 *
 * @param number such as 15
 * @returns `'SIGTERM'`, or null for one that has none (real-time signals)
 */
export function signalName(number: number): NodeJS.Signals | null {
  return names.get(number) ?? null;
}
