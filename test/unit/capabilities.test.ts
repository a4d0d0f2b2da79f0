import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  capabilityNames,
  decodeCapabilities,
  encodeCapabilities,
  initialCapabilities,
  resolveCapabilities,
} from '#internal/capabilities.js';
import { neverBreaks, refusesType, refusesValue } from './refuses.js';

const resolve = (value: unknown) =>
  resolveCapabilities(value, 'capabilities', initialCapabilities());

describe('capabilities', () => {
  it('by default a jail may set its hostname and use UNIX, IP and routing sockets only', () => {
    const on = Object.entries(initialCapabilities()).filter(([, value]) => value);
    assert.deepEqual(
      on.map(([name]) => name),
      ['setHostname', 'unixIpRouteOnly'],
    );
    assert.equal(Object.keys(initialCapabilities()).length, 11);
  });

  it('what is left out stays as it was', () => {
    const resolved = resolve({ rawSockets: true, setHostname: false });
    assert.equal(resolved.rawSockets, true);
    assert.equal(resolved.setHostname, false);
    assert.equal(resolved.unixIpRouteOnly, true);
    assert.deepEqual(resolve(undefined), initialCapabilities());
    assert.deepEqual(resolve({ chflags: undefined }), initialCapabilities());
  });

  it('the defaults are not changed by what is made of them', () => {
    const base = initialCapabilities();
    const resolved = resolveCapabilities({ chflags: true }, 'capabilities', base);
    resolved.sysvIpc = true;
    assert.deepEqual(base, initialCapabilities());
  });

  it('a capability that does not exist is refused, and the nearest one named', () => {
    refusesValue(() => resolve({ rawSocket: true }), /'rawSockets'/);
    refusesValue(() => resolve({ fly: true }), /'fly'/);
  });

  it('a capability is true or false, nothing that merely looks like it', () => {
    for (const bad of [1, 0, 'true', '', null, {}]) {
      refusesType(() => resolve({ chflags: bad }), /capabilities\.chflags/);
    }
    for (const bad of [null, true, ['chflags'], 'chflags']) refusesType(() => resolve(bad));
  });

  it('the bits are those of the protocol', () => {
    assert.equal(encodeCapabilities(initialCapabilities()), 0b1001);
    assert.equal(encodeCapabilities(resolve({ mountFusefs: true })), 0b100_0000_1001);
    assert.equal(capabilityNames.indexOf('mountNullfs'), 6);
    assert.equal(capabilityNames.indexOf('mountProcfs'), 9);
  });

  it('bits and names are two spellings of the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 11 - 1 }), (bits) => {
        assert.equal(encodeCapabilities(decodeCapabilities(bits)), bits);
      }),
    );
  });

  it('a bit without a name is refused', () => {
    for (const bits of [2 ** 11, -1, 1.5, Number.NaN]) refusesValue(() => decodeCapabilities(bits));
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (value) =>
        neverBreaks(() => resolve(value)),
      ),
    );
  });
});
