import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import {
  canonicalAddress,
  MAX_ADDRESSES,
  resolveAddress,
  resolveAddresses,
  scopeIndex,
} from '#internal/addresses.js';
import { neverBreaks, refusesType, refusesValue } from './refuses.js';

// Unicast global addresses, in the many ways that one can be written.
const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 7, maxLength: 7 });
const global = groups.map((rest) => [0x2001, ...rest]);
const longSpelling = (parts: readonly number[]) =>
  parts.map((part) => part.toString(16).toUpperCase().padStart(4, '0')).join(':');

describe('addresses', () => {
  it('both families are taken and told apart', () => {
    const list = resolveAddresses(['10.1.2.3', 'fd00::1']);
    assert.deepEqual(list, [
      { address: '10.1.2.3', family: 'IPv4', scopeid: null },
      { address: 'fd00::1', family: 'IPv6', scopeid: null },
    ]);
  });

  it('no list is an empty list', () => {
    assert.deepEqual(resolveAddresses(undefined), []);
    assert.deepEqual(resolveAddresses([]), []);
  });

  const spellings: [string, string][] = [
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:0:0:1:0:0', '2001:db8::1:0:0'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['127.0.0.1', '127.0.0.1'],
  ];
  for (const [given, canonical] of spellings) {
    it(`${given} is ${canonical}`, () => {
      assert.equal(resolveAddress(given, 'address').address, canonical);
    });
  }

  it('the canonical form is the same for every spelling, and a fixed point', () => {
    fc.assert(
      fc.property(global, (parts) => {
        const canonical = canonicalAddress(longSpelling(parts));
        assert.ok(canonical !== null && isIP(canonical) === 6);
        assert.equal(canonicalAddress(canonical), canonical);
        assert.equal(canonicalAddress(parts.map((part) => part.toString(16)).join(':')), canonical);
        assert.equal(canonical, canonical.toLowerCase());
      }),
    );
  });

  const malformed = [
    '',
    ' ',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1/24',
    '10.0.0.1:80',
    ' 10.0.0.1',
    '10.0.0.1\n',
    '1::2::3',
    'fd00::12345',
    '[fd00::1]',
    'fd00::/64',
    'localhost',
    'fe80::1%',
    'fe80::1%a b',
    '%1',
  ];
  for (const text of malformed) {
    it(`${JSON.stringify(text)} is no address`, () => {
      refusesValue(() => resolveAddresses([text]), /addresses\[0\]/);
    });
  }

  const special: [string, RegExp][] = [
    ['0.0.0.0', /unspecified/],
    ['::', /unspecified/],
    ['0:0::0', /unspecified/],
    ['255.255.255.255', /broadcast/],
    ['224.0.0.1', /unicast/],
    ['239.255.255.255', /unicast/],
    ['ff02::1', /unicast/],
    ['::ffff:10.0.0.1', /IPv4 address itself: '10\.0\.0\.1'/],
    ['::ffff:0a00:1', /IPv4 address itself: '10\.0\.0\.1'/],
  ];
  for (const [text, words] of special) {
    it(`${text} cannot belong to a jail`, () =>
      refusesValue(() => resolveAddresses([text]), words));
  }

  it('an address may be there once, however it is written', () => {
    refusesValue(() => resolveAddresses(['10.0.0.1', '10.0.0.2', '10.0.0.1']), /addresses\[2\]/);
    refusesValue(
      () => resolveAddresses(['fd00::1', { address: 'FD00:0::0001' }]),
      /not in the list/,
    );
    refusesValue(() => resolveAddresses(['fe80::1%1', 'fe80::1%2']));
    fc.assert(
      fc.property(global, (parts) => {
        const twice = [longSpelling(parts), canonicalAddress(longSpelling(parts))];
        refusesValue(() => resolveAddresses(twice));
      }),
    );
  });

  it('the order is kept: the first of each family is the primary one', () => {
    const distinct = fc.uniqueArray(
      fc.ipV4().filter((text) => !/^(0|22[4-9]|2[345]\d)\./.test(text)),
    );
    fc.assert(
      fc.property(distinct, (list) => {
        assert.deepEqual(
          resolveAddresses(list).map(({ address }) => address),
          list,
        );
      }),
    );
  });

  it('a scope can be written three ways', () => {
    const scoped = { address: 'fe80::1', family: 'IPv6', scopeid: 3 };
    assert.deepEqual(resolveAddress('fe80::1%3', 'a'), scoped);
    assert.deepEqual(resolveAddress({ address: 'fe80::1', scopeid: 3 }, 'a'), scoped);
    assert.deepEqual(resolveAddress({ address: 'FE80::1%3' }, 'a'), scoped);
    assert.equal(resolveAddress('fe80::1%em0', 'a').scopeid, 'em0');
    assert.equal(resolveAddress({ address: 'febf::1', scopeid: 'em0' }, 'a').scopeid, 'em0');
  });

  it('scope 0 is none', () => {
    assert.equal(resolveAddress({ address: 'fd00::1', scopeid: 0 }, 'a').scopeid, null);
    assert.equal(resolveAddress('fe80::1%0', 'a').scopeid, null);
  });

  it('what a listing says of an address can be given back', () => {
    const listed = { address: 'fe80::1', family: 'IPv6', scopeid: 2 };
    assert.equal(resolveAddress(listed, 'a').scopeid, 2);
    refusesValue(() => resolveAddress({ address: '10.0.0.1', family: 'IPv6' }, 'a'), /a\.family/);
  });

  it('only link-local IPv6 addresses have a scope', () => {
    refusesValue(() => resolveAddress({ address: '10.0.0.1', scopeid: 1 }, 'a'), /link-local/);
    refusesValue(() => resolveAddress('2001:db8::1%1', 'a'), /link-local/);
    refusesValue(() => resolveAddress('fec0::1%1', 'a'), /link-local/);
  });

  it('a scope that is none is refused', () => {
    const scoped = (scopeid: unknown) => () => resolveAddress({ address: 'fe80::1', scopeid }, 'a');
    for (const bad of [-1, 1.5, 2 ** 32, Number.NaN, '', 'a/b', 'x'.repeat(16), 'em 0']) {
      refusesValue(scoped(bad), /a\.scopeid/);
    }
    for (const bad of [null, true, {}, 1n]) refusesType(scoped(bad), /a\.scopeid/);
    refusesValue(() => resolveAddress({ address: 'fe80::1%1', scopeid: 1 }, 'a'), /%/);
  });

  it('other things than addresses are refused by their type', () => {
    for (const bad of [null, 1, true, [], () => {}, { address: 5 }, {}]) {
      refusesType(() => resolveAddresses([bad]), /addresses\[0\]/);
    }
    for (const bad of [null, '10.0.0.1', { 0: '10.0.0.1', length: 1 }]) {
      refusesType(() => resolveAddresses(bad), /array of addresses/);
    }
  });

  it('a hole in the list is not skipped', () => {
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tried
    refusesType(() => resolveAddresses(['10.0.0.1', , '10.0.0.2']), /addresses\[1\]/);
  });

  it('a misspelt property is named', () => {
    refusesValue(() => resolveAddress({ address: 'fe80::1', scopeId: 1 }, 'a'), /'scopeid'/);
  });

  it('the list has an end', () => {
    const many = Array.from({ length: MAX_ADDRESSES + 1 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    assert.equal(resolveAddresses(many.slice(1)).length, MAX_ADDRESSES);
    refusesValue(() => resolveAddresses(many), /at most/);
  });

  it('an interface that is not there has no scope', () => {
    assert.equal(scopeIndex('no-such-if0'), null);
    assert.equal(scopeIndex('__proto__'), null);
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: 'binary' }));
    const objects = fc.record({ address: texts, scopeid: fc.anything() });
    const anything = fc.anything({
      withNullPrototype: true,
      withBigInt: true,
      withSparseArray: true,
    });
    fc.assert(fc.property(anything, (value) => neverBreaks(() => resolveAddresses(value))));
    fc.assert(
      fc.property(fc.array(fc.oneof(texts, objects, anything)), (list) =>
        neverBreaks(() => resolveAddresses(list)),
      ),
    );
  });
});
