import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  assertAbortSignal,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertText,
  nearestWord,
} from '#internal/validate.js';
import { refusesType, refusesValue } from './refuses.js';

describe('validation', () => {
  it('a misspelt word finds the one that was meant', () => {
    const words = ['hostname', 'path', 'addresses', 'SIGTERM', 'SIGTRAP'];
    assert.equal(nearestWord('hostnmae', words), 'hostname');
    assert.equal(nearestWord('HOSTNAME', words), 'hostname');
    assert.equal(nearestWord('adresses', words), 'addresses');
    assert.equal(nearestWord('SIGTREM', words), 'SIGTERM');
    assert.equal(nearestWord('interface', words), undefined);
    assert.equal(nearestWord('', words), undefined);
    assert.equal(nearestWord('x'.repeat(10_000), words), undefined);
  });

  it('a word with one letter wrong finds itself', () => {
    const word = fc.stringMatching(/^[a-z]{5,12}$/);
    fc.assert(
      fc.property(word, fc.nat(), (text, place) => {
        const at = place % text.length;
        assert.equal(nearestWord(`${text.slice(0, at)}_${text.slice(at + 1)}`, [text]), text);
        assert.equal(nearestWord(text.slice(0, at) + text.slice(at + 1), [text]), text);
      }),
    );
  });

  it('strings that the kernel would get differently are refused', () => {
    for (const bad of ['\0', 'a\0', '\ud800', 'a\udc00b']) refusesValue(() => assertText(bad, 'x'));
    for (const good of ['', ' ', '\n', '🐉']) assertText(good, 'x');
    refusesType(() => assertText(Object('text'), 'x'));
  });

  it('strings are refused for the same reasons however long they are, and whatever stands around it', () => {
    const plain = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });
    const odd = fc.constantFrom('', '\0', '\ud800', '\udc00', '\x7f', 'é', '🐉');
    fc.assert(
      fc.property(plain, odd, plain, (before, middle, after) => {
        const text = before + middle + after;
        const wanted = text.isWellFormed() && !text.includes('\0');
        if (wanted) assertText(text, 'x');
        else refusesValue(() => assertText(text, 'x'));
      }),
    );
  });

  it('numbers are whole and within their bounds', () => {
    for (const good of [1, 3]) assertInteger(good, 'x', 1, 3);
    for (const bad of [0, 4, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      refusesValue(() => assertInteger(bad, 'x', 1, 3), /from 1 to 3 for x/);
    }
    for (const bad of ['1', 1n, null]) refusesType(() => assertInteger(bad, 'x', 1, 3));
  });

  it('one of a few words is named when it was nearly right', () => {
    assertOneOf('devfs', 'type', ['devfs', 'tmpfs']);
    refusesValue(() => assertOneOf('devf', 'type', ['devfs', 'tmpfs']), /did you mean 'devfs'/);
    refusesType(() => assertOneOf(undefined, 'type', ['devfs']), /one of 'devfs'/);
  });

  it('only what is set counts as a property', () => {
    assertKnownKeys({ a: 1, b: undefined }, ['a'], 'x');
    refusesValue(() => assertKnownKeys({ b: null }, ['a'], 'x'), /'b'/);
  });

  it('advice is never taken from a prototype', () => {
    const call = () => assertKnownKeys({ toString: 1 }, ['path'], 'x', { uid: 'use user' });
    refusesValue(call, /Expected a known property for x but received 'toString'/);
  });

  it('an AbortSignal is known by what it can do', () => {
    assertAbortSignal(AbortSignal.timeout(1), 'signal');
    for (const bad of [{ aborted: true }, null, 'signal']) {
      refusesType(() => assertAbortSignal(bad, 'signal'));
    }
  });
});
