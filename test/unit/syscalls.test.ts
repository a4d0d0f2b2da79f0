import assert from 'node:assert/strict';
import { mkdtempSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { canonicalAddress } from '#internal/addresses.js';
import type { CompiledField } from '#internal/backends/dragonfly/compiled-layout.js';
import { parseJailList } from '#internal/backends/dragonfly/jail-list.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { bitKind, sysctlFlags } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel } from '#internal/backends/model/index.js';
import { JailSystemError } from '#internal/errors.js';
import { jail, jailAttach, sysctl } from '#internal/syscalls/index.js';
import {
  overrideKernel,
  type RawSysctlNode,
  type SyscallsNative,
} from '#internal/syscalls/kernel.js';
import { refuses, refusesType, refusesValue } from './refuses.js';

const SPEC = { path: '/', hostname: 'h' };

const address = fc.oneof(
  fc.ipV4().filter((text) => /^(1|10|100|127|192)\./.test(text)),
  fc
    .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 6,
      maxLength: 6,
    })
    .map((groups) => `2001:db8:${groups.map((group) => group.toString(16)).join(':')}`)
    .map((text) => canonicalAddress(text) ?? assert.fail(text)),
);
const addresses = fc.uniqueArray(address, { maxLength: 16 });

/** The table of an addon that was compiled on 5.9. */
function compiledFields(): CompiledField[] {
  const names: Record<string, string> = {
    jailV0: 'jail_v0',
    sockaddrStorage: 'sockaddr_storage',
    sockaddrIn: 'sockaddr_in',
    sockaddrIn6: 'sockaddr_in6',
    sockaddrUn: 'sockaddr_un',
    kinfoProc: 'kinfo_proc',
    kinfoLwp: 'kinfo_lwp',
  };
  return Object.entries(layout59.structs).flatMap(([name, { size, fields }]) => {
    const structure = names[name] ?? name;
    const rows = Object.entries(fields).map(([field, [offset, bytes]]) => ({
      structure,
      field,
      offset,
      size: bytes,
    }));
    return [{ structure, field: '', offset: 0, size }, ...rows];
  });
}

function failure(code: string, syscall: string): Error {
  return Object.assign(new Error(code), { code, errno: -(layout59.errno[code] ?? 0), syscall });
}

interface Value {
  kind: number;
  bytes: Uint8Array;
}

/** Stands in for the addon on DragonFly: jails in the model of its kernel, sysctls in a table. */
class Addon implements SyscallsNative {
  readonly images: Uint8Array[] = [];
  readonly attached: number[] = [];
  readonly kernel = new ModelKernel();
  readonly values = new Map<string, Value>();
  questions = 0;

  constructor() {
    this.kernel.directory('/jail');
  }

  compiledFields = compiledFields;

  /** As the addon does it: every pointer is an offset until the image lies at its place. */
  jail(image: Uint8Array, pointers: readonly number[]): number {
    this.images.push(image);
    const child = this.kernel.host.fork();
    const room = Uint8Array.from(image);
    const base = child.mapMemory(room);
    const view = new DataView(room.buffer);
    for (const at of pointers) view.setBigUint64(at, view.getBigUint64(at, true) + base, true);
    return child.jail(base);
  }

  jailAttach(jid: number): void {
    if (jid === 404) throw failure('EINVAL', 'jail_attach');
    this.attached.push(jid);
  }

  sysctlGet(id: string | readonly number[]): Uint8Array {
    return this.#find(id).bytes;
  }

  sysctlSet(id: string | readonly number[], bytes: Uint8Array): void {
    this.#find(id).bytes = Uint8Array.from(bytes);
  }

  sysctlNode(id: string | readonly number[]): RawSysctlNode {
    this.questions++;
    const name = String(id);
    return { name, mib: [1, 2], kind: this.#find(id).kind, format: 'I', description: 'a node' };
  }

  sysctlList(id: string | readonly number[] = ''): RawSysctlNode[] {
    const names = [...this.values.keys()].filter((name) => name.startsWith(String(id)));
    return names.map((name) => this.sysctlNode(name));
  }

  #find(id: string | readonly number[]): Value {
    const value = this.values.get(String(id));
    if (value === undefined) throw failure('ENOENT', 'sysctl');
    return value;
  }
}

/** Every call, with arguments that are good. */
const calls: readonly (readonly [string, () => unknown])[] = [
  ['jail', () => jail(SPEC)],
  ['jailAttach', () => jailAttach(1)],
  ['sysctl.get', () => sysctl.get('jail.list')],
  ['sysctl.get by numbers', () => sysctl.get([1, 14, 0])],
  ['sysctl.getInt', () => sysctl.getInt('kern.osreldate')],
  ['sysctl.getBigInt', () => sysctl.getBigInt('hw.physmem')],
  ['sysctl.getString', () => sysctl.getString('kern.ostype')],
  ['sysctl.set', () => sysctl.set('jail.defaults.allow_raw_sockets', true)],
  ['sysctl.list', () => sysctl.list('jail')],
  ['sysctl.list of everything', () => sysctl.list()],
];

describe('syscalls on another system', () => {
  before(function () {
    if (systemType() === 'DragonFly') this.skip();
  });

  for (const [name, call] of calls) {
    it(`${name} throws ERR_JAIL_UNSUPPORTED with the reason`, () => {
      refuses(
        call,
        'ERR_JAIL_UNSUPPORTED',
        new RegExp(`DragonFly.*${systemType()}.*Jail\\.create`),
      );
    });
  }
});

describe('syscalls check their arguments first', () => {
  // Untyped, as JavaScript calls them.
  const loose = { jail, jailAttach, ...sysctl } as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const type: readonly (readonly [string, ...unknown[]])[] = [
    ['jail'],
    ['jail', null],
    ['jail', 'path'],
    ['jail', {}],
    ['jail', { path: 5, hostname: 'h' }],
    ['jail', { path: '/' }],
    ['jail', { ...SPEC, addresses: '10.0.0.1' }],
    ['jail', { ...SPEC, addresses: [5] }],
    ['jailAttach'],
    ['jailAttach', '1'],
    ['get'],
    ['get', 5],
    ['get', ['1']],
    ['get', new Array(2)],
    ['getInt', null],
    ['getBigInt', {}],
    ['getString', Symbol('x')],
    ['set', {}, 1],
    ['set', 'a'],
    ['set', 'a', null],
    ['set', 'a', [1]],
    ['list', 5],
  ];
  const value: readonly (readonly [string, ...unknown[]])[] = [
    ['jail', { path: 'relative', hostname: 'h' }],
    ['jail', { path: '/a\0b', hostname: 'h' }],
    ['jail', { path: '/', hostname: 'a b' }],
    ['jail', { path: '/', hostname: 'h'.repeat(256) }],
    ['jail', { ...SPEC, persist: true }],
    ['jail', { ...SPEC, addresses: ['10.0.0.256'] }],
    ['jail', { ...SPEC, addresses: ['::1', '0::1'] }],
    ['jailAttach', 0],
    ['jailAttach', -1],
    ['jailAttach', 1.5],
    ['jailAttach', 999_999],
    ['jailAttach', Number.NaN],
    ['get', ''],
    ['get', 'a\0b'],
    ['get', []],
    ['get', new Array(13).fill(1)],
    ['get', [1.5]],
    ['get', [2 ** 31]],
    ['set', 'a', 1.5],
    ['set', 'a', Number.POSITIVE_INFINITY],
    ['set', 'a', 'b\0'],
    ['set', 'a', new Uint8Array()],
    ['list', 'a\0'],
  ];

  for (const [name, ...args] of type) {
    it(`${name}(${String(args.map((arg) => JSON.stringify(arg) ?? String(arg)))})`, () => {
      refusesType(() => loose[name]?.(...args));
    });
  }
  for (const [name, ...args] of value) {
    it(`${name}(${String(args.map((arg) => JSON.stringify(arg)?.slice(0, 60) ?? ''))})`, () => {
      refusesValue(() => loose[name]?.(...args));
    });
  }

  it('a jail that would break the list for everybody is refused', () => {
    const many = Array.from({ length: 64 }, (_, index) => `2001:db8::1:${index.toString(16)}`);
    refuses(() => jail({ ...SPEC, addresses: many }), 'ERR_JAIL_LIMIT');
    refuses(() => jail({ ...SPEC, path: `/${'p'.repeat(1100)}` }), 'ERR_JAIL_LIMIT');
  });
});

describe('syscalls and the kernel', () => {
  let addon: Addon;
  let restore: () => void;

  beforeEach(() => {
    addon = new Addon();
    restore = overrideKernel(addon);
  });

  afterEach(() => {
    restore();
  });

  /** What the model's kernel lists of a jail that was made from an image of ours. */
  function listed(): string[] {
    const text = Buffer.from(addon.kernel.host.sysctl('jail.list').bytes).toString();
    return parseJailList(text).rows[0]?.addresses.map((row) => row.address) ?? [];
  }

  it('the kernel lists addresses in the order in which jail() was given them', () => {
    fc.assert(
      fc.property(addresses, (given) => {
        addon = new Addon();
        const undo = overrideKernel(addon);
        try {
          assert.equal(jail({ path: '/', hostname: 'h', addresses: given }), 1);
          assert.deepEqual(listed(), given);
        } finally {
          undo();
        }
      }),
      { numRuns: 100 },
    );
  });

  it('the last address of the image is the first one given, without its scope', () => {
    jail({ ...SPEC, addresses: ['fe80::1%3', '10.0.0.1'] });
    const [image] = addon.images;
    assert.ok(image !== undefined);
    const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
    const start = Number(view.getBigUint64(32, true));
    assert.deepEqual([...image.subarray(start, start + 8)], [16, 2, 0, 0, 10, 0, 0, 1]);
    const second = image.subarray(start + 128, start + 256);
    assert.deepEqual([...second.subarray(0, 10)], [28, 28, 0, 0, 0, 0, 0, 0, 0xfe, 0x80]);
    assert.ok(second.subarray(24).every((byte) => byte === 0));
  });

  it('a path that is no directory never reaches the kernel, which would keep it busy', () => {
    const path = process.execPath;
    assert.throws(() => jail({ path, hostname: 'h' }), isSystemError('ENOTDIR', { path }));
    const missing = '/nowhere/at/all';
    assert.throws(
      () => jail({ path: missing, hostname: 'h' }),
      isSystemError('ENOENT', { path: missing }),
    );
    assert.equal(addon.images.length, 0);
  });

  it('the room in the list is counted for the path without symbolic links', () => {
    const link = join(mkdtempSync(join(tmpdir(), 'syscalls-')), 'link');
    symlinkSync('/', link);
    try {
      assert.equal(jail({ path: `${link}/tmp/..`, hostname: 'h' }) > 0, true);
    } catch (error) {
      // The model has no such path: the kernel was asked, which is what counts.
      assert.equal((error as { code?: string }).code, 'ENOENT');
    } finally {
      unlinkSync(link);
      rmdirSync(join(link, '..'));
    }
    assert.equal(addon.images.length, 1);
  });

  it('jailAttach() passes the jid on; the kernel’s refusal names it', () => {
    jailAttach(7);
    assert.deepEqual(addon.attached, [7]);
    assert.throws(() => jailAttach(404), isSystemError('EINVAL', { jid: 404 }));
  });

  it('numbers are read with the sign that the kernel has them with', () => {
    const ones = (size: number) => new Uint8Array(size).fill(0xff);
    addon.values.set('i', { kind: 2, bytes: ones(4) });
    addon.values.set('u', { kind: 6, bytes: ones(4) });
    addon.values.set('u8', { kind: 10, bytes: ones(1) });
    addon.values.set('s16', { kind: 13, bytes: ones(2) });
    addon.values.set('q', { kind: 4, bytes: ones(8) });
    addon.values.set('ul', { kind: 8, bytes: ones(8) });
    assert.equal(sysctl.getInt('i'), -1);
    assert.equal(sysctl.getInt('u'), 0xffffffff);
    assert.equal(sysctl.getInt('u8'), 255);
    assert.equal(sysctl.getInt('s16'), -1);
    assert.equal(sysctl.getBigInt('q'), -1n);
    assert.equal(sysctl.getBigInt('ul'), 2n ** 64n - 1n);
    assert.equal(sysctl.getBigInt('u'), 0xffffffffn);
    refusesValue(() => sysctl.getInt('q'), /getBigInt/);
  });

  it('a number that is the same with and without a sign costs one question', () => {
    addon.values.set('i', { kind: 2, bytes: Uint8Array.of(1, 0, 0, 0) });
    assert.equal(sysctl.getInt('i'), 1);
    assert.equal(addon.questions, 0);
  });

  it('texts end at their NUL, and are no numbers', () => {
    addon.values.set('s', { kind: 3, bytes: Buffer.from('DragonFly\0') });
    assert.equal(sysctl.getString('s'), 'DragonFly');
    refusesValue(() => sysctl.getInt('s'), /getString/);
    refusesValue(() => sysctl.getBigInt('s'), /getString/);
  });

  it('values are written in the type that the kernel has', () => {
    const written = (kind: number, value: Parameters<typeof sysctl.set>[1]) => {
      addon.values.set('x', { kind, bytes: new Uint8Array() });
      sysctl.set('x', value);
      return [...sysctl.get('x')];
    };
    assert.deepEqual(written(2, -2), [0xfe, 0xff, 0xff, 0xff]);
    assert.deepEqual(written(6, 0xffffffff), [0xff, 0xff, 0xff, 0xff]);
    assert.deepEqual(written(bitKind(20, sysctlFlags.write), true), [1, 0, 0, 0]);
    assert.deepEqual(written(4, -1n), new Array(8).fill(0xff));
    assert.deepEqual(written(8, 5), [5, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(written(10, 255), [255]);
    assert.deepEqual(written(3, 'é'), [0xc3, 0xa9]);
    assert.deepEqual(written(3, ''), [0]);
    assert.deepEqual(written(5, Uint8Array.of(1, 2, 3)), [1, 2, 3]);
  });

  it('a value that a node cannot take is refused before it is written', () => {
    for (const [kind, value] of [
      [2, 2 ** 31],
      [6, -1],
      [10, 256],
      [4, 2n ** 63n],
      [1, 1],
    ] as const) {
      addon.values.set('x', { kind, bytes: new Uint8Array() });
      refusesValue(() => sysctl.set('x', value));
    }
    for (const [kind, value] of [
      [2, 'one'],
      [3, 1],
      [5, 1],
    ] as const) {
      addon.values.set('x', { kind, bytes: new Uint8Array() });
      refusesType(() => sysctl.set('x', value));
    }
  });

  it('list() tells type, flags and description of each node, and leaves inner nodes out', () => {
    const writable = (sysctlFlags.read | sysctlFlags.write) >>> 0;
    addon.values.set('jail', { kind: 1, bytes: new Uint8Array() });
    addon.values.set('jail.list', { kind: (3 | sysctlFlags.read) >>> 0, bytes: new Uint8Array() });
    addon.values.set('jail.defaults.a', { kind: bitKind(1, writable), bytes: new Uint8Array() });
    addon.values.set('kern.x', { kind: 7, bytes: new Uint8Array() });
    const rest = { mib: [1, 2], format: 'I', description: 'a node' };
    assert.deepEqual(sysctl.list('jail'), [
      { name: 'jail.list', type: 'string', writable: false, ...rest },
      { name: 'jail.defaults.a', type: 'bit', writable: true, ...rest },
    ]);
    assert.equal(sysctl.list().length, 3);
  });

  it('an unknown node is ENOENT', () => {
    for (const call of [sysctl.get, sysctl.getInt, sysctl.getBigInt, sysctl.getString]) {
      assert.throws(() => call('no.such.node'), isSystemError('ENOENT'));
    }
    assert.throws(() => sysctl.set('no.such.node', 1), isSystemError('ENOENT'));
  });

  it('any bytes are a value or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 16 }), fc.nat({ max: 0xffff }), (bytes, kind) => {
        addon.values.set('x', { kind, bytes });
        for (const call of [sysctl.getInt, sysctl.getBigInt, sysctl.getString]) {
          try {
            call('x');
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'ERR_INVALID_ARG_VALUE');
          }
        }
      }),
    );
  });
});

function isSystemError(
  code: string,
  details: { path?: string; jid?: number } = {},
): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof JailSystemError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.errno < 0);
    if (details.path !== undefined) assert.equal(error.path, details.path);
    if (details.jid !== undefined) assert.equal(error.jid, details.jid);
    return true;
  };
}
