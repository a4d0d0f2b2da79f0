import assert from 'node:assert/strict';
import { constants } from 'node:os';
import fc from 'fast-check';
import { signalName, signalNumber } from '#internal/signals.js';
import { neverBreaks, refusesType, refusesValue } from './refuses.js';

describe('signals', () => {
  it('names are those of the system', () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      assert.equal(signalNumber(name), number);
    }
    assert.equal(signalNumber('sigterm'), 15, 'as child.kill() takes it');
  });

  it('numbers are taken as they are, real-time ones and 0 too', () => {
    for (const number of [0, 1, 9, 40, 64]) assert.equal(signalNumber(number), number);
  });

  it('a number has the name that child_process would report', () => {
    assert.equal(signalName(9), 'SIGKILL');
    assert.equal(signalName(constants.signals.SIGABRT), 'SIGABRT');
    assert.equal(signalName(constants.signals.SIGIO), 'SIGIO');
    assert.equal(signalName(0), null);
    assert.equal(signalName(64), null);
  });

  it('a signal that does not exist is refused, and the nearest one named', () => {
    refusesValue(() => signalNumber('SIGTREM'), /'SIGTERM'/);
    refusesValue(() => signalNumber('TERM'), /for signal/);
    for (const bad of ['', 'SIG', 'toString', '15', '__proto__']) {
      refusesValue(() => signalNumber(bad, 'killSignal'), /killSignal/);
    }
    for (const bad of [-1, 65, 1.5, Number.NaN]) refusesValue(() => signalNumber(bad));
    for (const bad of [null, undefined, true, 9n, ['SIGTERM']])
      refusesType(() => signalNumber(bad));
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    fc.assert(fc.property(fc.anything(), (value) => neverBreaks(() => signalNumber(value))));
  });
});
