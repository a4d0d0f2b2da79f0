import assert from 'node:assert/strict';
import fc from 'fast-check';
import { resolveCommandLimits, resolveLimits, rlimitNames, UNLIMITED } from '#internal/limits.js';
import { neverBreaks, refuses, refusesType, refusesValue } from './refuses.js';

const amount = fc.oneof(fc.maxSafeNat(), fc.constant(Number.POSITIVE_INFINITY));
const onWire = (value: number) => (value === Number.POSITIVE_INFINITY ? UNLIMITED : BigInt(value));

describe('limits', () => {
  it('nothing said is nothing limited', () => {
    for (const nothing of [undefined, {}, { nofile: undefined, memory: undefined }]) {
      assert.deepEqual(resolveLimits(nothing), {
        rlimits: [],
        memory: UNLIMITED,
        processes: UNLIMITED,
      });
    }
    assert.deepEqual(resolveCommandLimits({}), []);
  });

  it('one number is both limits, Infinity is none', () => {
    const { rlimits } = resolveLimits({ nofile: 64, core: Number.POSITIVE_INFINITY, cpu: 0 });
    assert.deepEqual(rlimits, [
      { name: 'nofile', resource: 0, soft: 64n, hard: 64n },
      { name: 'core', resource: 2, soft: UNLIMITED, hard: UNLIMITED },
      { name: 'cpu', resource: 3, soft: 0n, hard: 0n },
    ]);
  });

  it('resources have the numbers of the protocol', () => {
    const order = 'nofile nproc core cpu as data stack fsize memlock';
    assert.equal(rlimitNames.join(' '), order);
  });

  it('any soft limit up to the hard one is kept as it is', () => {
    fc.assert(
      fc.property(amount, amount, fc.constantFrom(...rlimitNames), (one, other, name) => {
        const soft = Math.min(one, other);
        const hard = Math.max(one, other);
        const [limit] = resolveCommandLimits({ [name]: { soft, hard } });
        assert.equal(limit?.soft, onWire(soft));
        assert.equal(limit?.hard, onWire(hard));
        if (soft !== hard) {
          const reversed = { [name]: { soft: hard, hard: soft } };
          refusesValue(() => resolveLimits(reversed), /at most the hard limit/);
        }
      }),
    );
  });

  it('limits of the whole jail are numbers', () => {
    const limits = resolveLimits({ memory: 64 * 1024 * 1024, processes: 10 });
    assert.equal(limits.memory, 67_108_864n);
    assert.equal(limits.processes, 10n);
    assert.deepEqual(limits.rlimits, []);
    refusesType(() => resolveLimits({ memory: { soft: 1, hard: 2 } }), /soft and hard/);
    refusesValue(() => resolveLimits({ processes: 0 }), /at least 1/);
    assert.equal(resolveLimits({ memory: Number.POSITIVE_INFINITY }).memory, UNLIMITED);
  });

  it('one command cannot have a limit of the whole jail', () => {
    for (const name of ['memory', 'processes']) {
      refuses(() => resolveCommandLimits({ [name]: 5 }), 'ERR_JAIL_UNSUPPORTED', /whole jail/);
    }
  });

  it('what is no amount is refused', () => {
    for (const bad of [-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53]) {
      refusesValue(() => resolveLimits({ nofile: bad }), /limits\.nofile/);
      refusesValue(() => resolveLimits({ nofile: { soft: bad, hard: 5 } }), /limits\.nofile\.soft/);
      refusesValue(() => resolveLimits({ memory: bad }), /limits\.memory/);
    }
    for (const bad of [null, '64', true, 5n, [1, 2]]) {
      refusesType(() => resolveLimits({ nofile: bad }), /limits\.nofile/);
      refusesType(() => resolveLimits({ memory: bad }), /limits\.memory/);
    }
  });

  it('a pair has both of its limits', () => {
    refusesType(() => resolveLimits({ as: { soft: 1 } }), /limits\.as\.hard/);
    refusesType(() => resolveLimits({ as: { hard: 1 } }), /limits\.as\.soft/);
    refusesValue(() => resolveLimits({ as: { soft: 1, hard: 1, max: 1 } }), /'max'/);
  });

  it('a misspelt limit is refused, and the nearest one named', () => {
    refusesValue(() => resolveLimits({ nofiles: 5 }), /'nofile'/);
    refusesValue(() => resolveLimits({ NPROC: 5 }), /'nproc'/);
    for (const bad of [null, 5, [], 'nofile=5']) refusesType(() => resolveLimits(bad));
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    const named = fc.dictionary(fc.constantFrom(...rlimitNames, 'memory'), fc.anything());
    fc.assert(
      fc.property(fc.oneof(fc.anything(), named), (value) => {
        neverBreaks(() => resolveLimits(value));
        neverBreaks(() => resolveCommandLimits(value));
      }),
    );
  });
});
