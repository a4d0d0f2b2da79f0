import assert from 'node:assert/strict';
import fc from 'fast-check';
import { resolveMounts } from '#internal/mounts.js';
import { neverBreaks, refusesType, refusesValue } from './refuses.js';

const one = (mount: unknown) => resolveMounts([mount])[0];

describe('mounts', () => {
  it('each type becomes what the monitor takes', () => {
    const mounts = resolveMounts([
      { type: 'nullfs', target: '/usr', source: '/host/usr', readOnly: true },
      { type: 'devfs', target: '/dev' },
      { type: 'procfs', target: '/proc' },
      { type: 'tmpfs', target: '/tmp', options: { size: '64m', mode: 0o1777, noexec: true } },
    ]);
    assert.deepEqual(
      mounts.map(({ type, typeNumber, target, source, flags, options }) =>
        [typeNumber, type, target, source, flags, options].join(' '),
      ),
      [
        '1 nullfs /usr /host/usr 1 ',
        '2 devfs /dev  0 ',
        '3 procfs /proc  0 ',
        '4 tmpfs /tmp  2 size=67108864,mode=1777',
      ],
    );
    assert.deepEqual(resolveMounts(undefined), []);
  });

  it('flags are those of the protocol', () => {
    const all = {
      type: 'tmpfs',
      target: '/t',
      readOnly: true,
      options: { noexec: true, nosuid: true },
    };
    assert.equal(one(all)?.flags, 7);
    assert.equal(one({ ...all, readOnly: false })?.flags, 6);
    assert.equal(one({ ...all, options: {} })?.flags, 1);
  });

  it('a size can be written with a unit', () => {
    const size = (value: unknown) => one({ type: 'tmpfs', target: '/t', options: { size: value } });
    assert.equal(size(4096)?.options, 'size=4096');
    assert.equal(size('4096')?.options, 'size=4096');
    assert.equal(size('2K')?.options, 'size=2048');
    assert.equal(size('1g')?.options, 'size=1073741824');
    for (const bad of [0, -1, 1.5, '', 'm', '1t', '-1', '1.5g', '0', '999999999999999g']) {
      refusesValue(() => size(bad), /options\.size/);
    }
    for (const bad of [null, true, 5n]) refusesType(() => size(bad), /options\.size/);
  });

  it('a mode is a number or octal digits', () => {
    const mode = (value: unknown) => one({ type: 'tmpfs', target: '/t', options: { mode: value } });
    for (const same of [0o755, '755', '0755', '0o755']) {
      assert.equal(mode(same)?.options, 'mode=0755');
    }
    assert.equal(mode(0)?.options, 'mode=0000');
    assert.equal(mode('0')?.options, 'mode=0000');
    for (const bad of [0o10000, -1, 1.5, '888', 'rwx', '17777', '', ' 755']) {
      if (bad !== '') refusesValue(() => mode(bad), /options\.mode/);
    }
    refusesType(() => mode(null), /options\.mode/);
  });

  it('a target lies inside the jail and below its root', () => {
    const at = (target: unknown) => () => one({ type: 'tmpfs', target });
    assert.equal(at('/a//b/./c/')()?.target, '/a/b/c');
    assert.equal(at('/with space/..x')()?.target, '/with space/..x');
    for (const bad of ['', 'tmp', './tmp', '/', '//', '/.', '/../etc', '/a/..', '/a\n', '/a\0b']) {
      refusesValue(at(bad), /mounts\[0\]\.target/);
    }
    for (const bad of [undefined, null, 5, ['/tmp']]) refusesType(at(bad), /mounts\[0\]\.target/);
  });

  it('nullfs needs a source, and nothing else has one', () => {
    refusesType(() => one({ type: 'nullfs', target: '/usr' }), /mounts\[0\]\.source/);
    refusesValue(() => one({ type: 'nullfs', target: '/usr', source: 'usr' }), /absolute/);
    refusesValue(() => one({ type: 'tmpfs', target: '/t', source: '/t' }), /no source with tmpfs/);
  });

  it('two mounts cannot have one target', () => {
    const twice = ['/tmp', '//tmp/'].map((target) => ({ type: 'tmpfs', target }));
    refusesValue(() => resolveMounts(twice), /mounts\[1\]\.target/);
  });

  it('size and mode are for tmpfs only, and the error says so', () => {
    for (const option of ['size', 'mode']) {
      const mount = { type: 'devfs', target: '/dev', options: { [option]: 5 } };
      refusesValue(() => one(mount), /only a tmpfs/);
    }
  });

  it('misspelt types and properties are named', () => {
    refusesValue(() => one({ type: 'nulfs', target: '/t' }), /'nullfs'/);
    refusesValue(() => one({ type: 'tmpfs', target: '/t', readonly: true }), /'readOnly'/);
    refusesValue(() => one({ type: 'tmpfs', target: '/t', options: { noExec: true } }), /'noexec'/);
    refusesType(() => one({ target: '/t' }), /mounts\[0\]\.type/);
    refusesType(() => one({ type: 'tmpfs', target: '/t', readOnly: 'yes' }), /readOnly/);
    refusesType(() => one({ type: 'tmpfs', target: '/t', options: 'ro' }), /options/);
    for (const bad of [null, 'tmpfs', [], 5]) refusesType(() => one(bad), /mounts\[0\]/);
    for (const bad of [null, {}, 'x']) refusesType(() => resolveMounts(bad), /mounts/);
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    const mount = fc.record(
      {
        type: fc.constantFrom('nullfs', 'tmpfs', 'devfs'),
        target: fc.oneof(fc.constant('/t'), fc.anything()),
        source: fc.anything(),
        options: fc.oneof(
          fc.anything(),
          fc.record({ size: fc.anything(), mode: fc.anything() }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.array(mount)), (value) =>
        neverBreaks(() => resolveMounts(value)),
      ),
    );
  });
});
