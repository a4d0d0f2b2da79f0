import assert from 'node:assert/strict';
import { JailError } from '#internal/errors.js';

/** The call must throw a JailError of this code whose message and hint together match. */
export function refuses(call: () => unknown, code: string, words: RegExp = /./): void {
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof JailError, `not a JailError: ${error}`);
    assert.equal(error.code, code);
    assert.match(`${error.message} ${error.hint ?? ''}`, words);
    return true;
  });
}

/** As {@link refuses}, for a value of the wrong type. */
export function refusesType(call: () => unknown, words?: RegExp): void {
  refuses(call, 'ERR_INVALID_ARG_TYPE', words);
}

/** As {@link refuses}, for a value that cannot be used. */
export function refusesValue(call: () => unknown, words?: RegExp): void {
  refuses(call, 'ERR_INVALID_ARG_VALUE', words);
}

/** The call returns, or throws a JailError whose code is its own: nothing else may come out of a validation. */
export function neverBreaks(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof JailError, `not a JailError: ${error}`);
    assert.match(error.code, /^ERR_(INVALID_ARG_(TYPE|VALUE)|JAIL_UNSUPPORTED)$/);
    assert.ok(error.message.length < 1000, 'a message fit to be read');
  }
}
