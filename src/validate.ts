import { invalidType, invalidValue } from './errors.js';
import { hasControlCharacter } from './text.js';

/** The longest path that the kernels take, in bytes without the NUL (PATH_MAX is 4096 on Linux, 1024 on DragonFly). */
export const MAX_PATH_BYTES = 4095;

/** A plain object whose properties are not known yet. */
export type UnknownRecord = Readonly<Record<string, unknown>>;

/** Any object but null and arrays: class instances may carry the properties too. */
export function assertObject(
  value: unknown,
  name: string,
  expected = 'an object',
): asserts value is UnknownRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType(name, expected, value);
  }
}

/** An array; what is in it is for the caller to check. */
export function assertArray(
  value: unknown,
  name: string,
  expected = 'an array',
): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw invalidType(name, expected, value);
}

/** true or false, not merely something truthy. */
export function assertBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'true or false', value);
}

/** A function. */
export function assertFunction(
  value: unknown,
  name: string,
): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
}

/**
 * A string that the kernel can be given: no NUL, and no half of a surrogate pair, which would silently become another
 * character in UTF-8.
 */
export function assertText(
  value: unknown,
  name: string,
  expected = 'a string',
): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  if (isPlainText(value)) return;
  if (value.includes('\0')) throw invalidValue(name, `${expected} without NUL`, value);
  if (!value.isWellFormed()) throw invalidValue(name, `${expected} in valid Unicode`, value);
}

const SHORT = 128;

// What most texts are: short, ASCII, without NUL. Told without the way into V8's C++, which is long.
function isPlainText(value: string): boolean {
  if (value.length > SHORT) return false;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit === 0 || unit > 0x7f) return false;
  }
  return true;
}

/** As {@link assertText}, and not empty. */
export function assertFilledText(
  value: unknown,
  name: string,
  expected = 'a string',
): asserts value is string {
  assertText(value, name, expected);
  if (value === '') throw invalidValue(name, `${expected} that is not empty`, value);
}

/** A whole number from `min` to `max`. */
export function assertInteger(
  value: unknown,
  name: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  const expected = `an integer from ${min} to ${max}`;
  if (typeof value !== 'number') throw invalidType(name, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalidValue(name, expected, value);
  }
}

/** One of a few strings. */
export function assertOneOf<T extends string>(
  value: unknown,
  name: string,
  choices: readonly T[],
): asserts value is T {
  const expected = `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  if (!choices.some((choice) => choice === value)) {
    throw invalidValue(name, expected, value, suggestion(value, choices));
  }
}

/** An absolute path without control characters, short enough for the kernel. */
export function assertAbsolutePath(
  value: unknown,
  name: string,
  expected = 'a path',
): asserts value is string {
  assertFilledText(value, name, expected);
  if (!value.startsWith('/')) throw invalidValue(name, `${expected} that is absolute`, value);
  if (hasControlCharacter(value)) {
    throw invalidValue(name, `${expected} without control characters`, value);
  }
  if (Buffer.byteLength(value) > MAX_PATH_BYTES) {
    throw invalidValue(name, `${expected} of at most ${MAX_PATH_BYTES} bytes`, value);
  }
}

/** An AbortSignal, by its shape: it may come from another realm or library. */
export function assertAbortSignal(value: unknown, name: string): asserts value is AbortSignal {
  const fits =
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value;
  if (!fits) throw invalidType(name, 'an AbortSignal', value);
}

/**
 * Refuses properties that nobody reads, since a misspelt option that is silently ignored is a hole in a jail.
 *
 * @param value the object
 * @param known the names that it may have
 * @param name the argument, for the message
 * @param hints what to say of a name that people are likely to try: `{ uid: 'use user' }`
 */
export function assertKnownKeys(
  value: UnknownRecord,
  known: readonly string[],
  name: string,
  hints: Readonly<Record<string, string>> = {},
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key) || value[key] === undefined) continue;
    const hint = Object.hasOwn(hints, key) ? hints[key] : suggestion(key, known);
    const message = hint ? `a known property (${hint})` : 'a known property';
    throw invalidValue(name, message, key, hint);
  }
}

// "did you mean 'hostname'?", or undefined when nothing comes close.
function suggestion(word: string, choices: readonly string[]): string | undefined {
  const nearest = nearestWord(word, choices);
  return nearest === undefined ? undefined : `did you mean '${nearest}'?`;
}

/**
 * The choice that a misspelt word was probably meant to be.
 *
 * @param word what was written
 * @param choices what could have been
 * @returns the nearest choice, or undefined when none is near
 */
export function nearestWord(word: string, choices: readonly string[]): string | undefined {
  // Longer words than these are no misspellings, and the comparison is quadratic.
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const choice of choices) {
    const distance = editDistance(word.toLowerCase(), choice.toLowerCase());
    if (distance < bestDistance && distance < choice.length) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

// How many letters must be changed, added, taken away or swapped with their neighbour.
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const choices = [
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        (current[column - 1] ?? 0) + 1,
        (last[column] ?? 0) + 1,
      ];
      if (swapped && row > 1 && column > 1) choices.push((beforeLast[column - 2] ?? 0) + 1);
      current.push(Math.min(...choices));
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
