import assert from 'node:assert/strict';
import fc from 'fast-check';
import { initialCapabilities } from '#internal/capabilities.js';
import { UNLIMITED } from '#internal/limits.js';
import { resolveSpec } from '#internal/spec.js';
import { neverBreaks, refusesType, refusesValue } from './refuses.js';

const least = { path: '/jails/web', hostname: 'web.example' };
const withHostname = (hostname: unknown) => () => resolveSpec({ ...least, hostname });
const withPath = (path: unknown) => () => resolveSpec({ ...least, path });
const withName = (name: unknown) => () => resolveSpec({ ...least, name });

describe('a jail’s description', () => {
  it('a path and a hostname are enough', () => {
    assert.deepEqual(resolveSpec(least), {
      path: '/jails/web',
      hostname: 'web.example',
      name: null,
      addresses: [],
      interface: null,
      capabilities: initialCapabilities(),
      mounts: [],
      limits: { rlimits: [], memory: UNLIMITED, processes: UNLIMITED },
      readOnly: false,
      noNewPrivileges: false,
      persist: false,
      untilEmpty: false,
    });
  });

  it('everything that is said is kept', () => {
    const resolved = resolveSpec({
      ...least,
      name: 'web_1',
      addresses: ['10.0.0.1', 'FD00::1'],
      interface: 'em0',
      capabilities: { chflags: true },
      mounts: [{ type: 'devfs', target: '/dev' }],
      limits: { nofile: 10 },
      persist: true,
    });
    assert.equal(resolved.name, 'web_1');
    assert.deepEqual(
      resolved.addresses.map(({ address }) => address),
      ['10.0.0.1', 'fd00::1'],
    );
    assert.equal(resolved.interface, 'em0');
    assert.equal(resolved.capabilities.chflags, true);
    assert.equal(resolved.mounts[0]?.target, '/dev');
    assert.equal(resolved.limits.rlimits[0]?.soft, 10n);
    assert.equal(resolved.persist, true);
  });

  it('the description is not changed, and may be frozen', () => {
    const frozen = Object.freeze({ ...least, addresses: Object.freeze(['FD00::1']) });
    resolveSpec(frozen);
    assert.deepEqual(frozen.addresses, ['FD00::1']);
  });

  it('other defaults of capabilities can be given', () => {
    const none = { ...initialCapabilities(), setHostname: false };
    assert.equal(resolveSpec(least, none).capabilities.setHostname, false);
    const spec = { ...least, capabilities: { setHostname: true } };
    assert.equal(resolveSpec(spec, none).capabilities.setHostname, true);
  });

  it('properties of a class count like any other', () => {
    class Described {
      path = '/jails/web';
      get hostname() {
        return 'web';
      }
    }
    assert.equal(resolveSpec(new Described()).hostname, 'web');
  });

  it('something else than an object is refused', () => {
    for (const bad of [undefined, null, '/jails/web', 5, [], () => {}]) {
      refusesType(() => resolveSpec(bad), /for spec /);
    }
  });

  it('a path is absolute and fit for the kernel', () => {
    assert.equal(withPath('/with space/ünï')().path, '/with space/ünï');
    for (const bad of [
      '',
      'jails/web',
      './web',
      '~/web',
      '/a\nb',
      '/a\0b',
      '/a\u007f',
      '/a\ud800',
    ]) {
      refusesValue(withPath(bad), /for path /);
    }
    assert.equal(withPath(`/${'x'.repeat(4094)}`)().path.length, 4095);
    refusesValue(withPath(`/${'x'.repeat(4095)}`), /4095 bytes/);
    refusesValue(withPath(`/${'ü'.repeat(2048)}`), /4095 bytes/);
    for (const bad of [undefined, null, 42, new URL('file:///jails'), Buffer.from('/jails')]) {
      refusesType(withPath(bad), /a directory path for path/);
    }
  });

  it('a hostname has 1 to 255 bytes', () => {
    assert.equal(withHostname('x'.repeat(255))().hostname.length, 255);
    refusesValue(withHostname('x'.repeat(256)), /1 to 255 bytes/);
    refusesValue(withHostname('ü'.repeat(128)), /1 to 255 bytes/);
    refusesValue(withHostname(''), /1 to 255 bytes/);
  });

  it('a hostname cannot pass for more than one', () => {
    for (const character of [' ', '\n', '\t', '\r', '\0', '\u001b', '\u0085', '\u00a0', '\u2028']) {
      refusesValue(withHostname(`a${character}b`), /for hostname /);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        let hostname: string;
        try {
          hostname = withHostname(text)().hostname;
        } catch {
          return;
        }
        assert.equal(hostname.split(/\s/u).length, 1);
        assert.equal(
          Buffer.from(hostname).toString(),
          text,
          'what the kernel gets is what was meant',
        );
      }),
    );
    for (const bad of [undefined, null, 5, ['a']]) refusesType(withHostname(bad), /a hostname/);
  });

  it('a name is an identifier of at most 63 bytes', () => {
    for (const good of ['a', '_', 'Web_2', 'x'.repeat(63)]) {
      assert.equal(withName(good)().name, good);
    }
    for (const bad of ['', '2web', 'web-2', 'web.2', 'wéb', 'web\n', '../x', 'x'.repeat(64)]) {
      refusesValue(withName(bad), /for name /);
    }
    for (const bad of [null, 5, {}]) refusesType(withName(bad), /for name /);
  });

  it('an interface has a name that an interface can have', () => {
    for (const bad of ['', 'em 0', 'a/b', '..', 'x'.repeat(16), 'em0\n']) {
      refusesValue(() => resolveSpec({ ...least, interface: bad }), /for interface /);
    }
    refusesType(() => resolveSpec({ ...least, interface: 1 }), /for interface /);
  });

  it('persist is true or false', () => {
    for (const bad of [1, 'yes', null]) {
      refusesType(() => resolveSpec({ ...least, persist: bad }), /for persist /);
    }
  });

  it('a misspelt property is refused, and the right one named', () => {
    refusesValue(() => resolveSpec({ ...least, adresses: [] }), /'addresses'/);
    refusesValue(() => resolveSpec({ ...least, hostName: 'x' }), /'hostname'/);
    refusesValue(() => resolveSpec({ ...least, ip: '10.0.0.1' }), /use addresses/);
    refusesValue(() => resolveSpec({ ...least, zzzzzz: 1 }), /'zzzzzz'/);
    refusesValue(() => resolveSpec({ ...least, constructor: 1 }), /'constructor'/);
    resolveSpec({ ...least, adresses: undefined });
  });

  it('errors deep inside name the place', () => {
    const bad = { ...least, mounts: [{ type: 'tmpfs', target: '/t', options: { size: 0 } }] };
    refusesValue(() => resolveSpec(bad), /mounts\[0\]\.options\.size/);
    refusesValue(() => resolveSpec({ ...least, addresses: ['x'] }), /addresses\[0\]/);
    refusesValue(() => resolveSpec({ ...least, limits: { cpu: -1 } }), /limits\.cpu/);
    refusesType(
      () => resolveSpec({ ...least, capabilities: { chflags: 1 } }),
      /capabilities\.chflags/,
    );
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    const spec = fc.record({
      path: fc.oneof(fc.constant('/x'), fc.anything()),
      hostname: fc.oneof(fc.constant('x'), fc.anything()),
      name: fc.oneof(fc.constant('x'), fc.anything()),
      addresses: fc.anything(),
      mounts: fc.anything(),
      persist: fc.anything(),
    });
    const anything = fc.anything({ withNullPrototype: true, withMap: true, withTypedArray: true });
    fc.assert(
      fc.property(fc.oneof(anything, spec), (value) => neverBreaks(() => resolveSpec(value))),
    );
  });
});
