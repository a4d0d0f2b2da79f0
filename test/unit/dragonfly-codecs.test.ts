import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { canonicalAddress } from '#internal/addresses.js';
import {
  defaultNode,
  detectVocabulary,
  hasOwnNodes,
  jailNode,
  readCapabilities,
} from '#internal/backends/dragonfly/capability-nodes.js';
import {
  type CompiledField,
  compiledLayout,
} from '#internal/backends/dragonfly/compiled-layout.js';
import {
  checkListingBudget,
  confirmRows,
  listingBytes,
  parseJailList,
} from '#internal/backends/dragonfly/jail-list.js';
import { packJail, packJailV0 } from '#internal/backends/dragonfly/jail-struct.js';
import {
  addressBytes,
  addressText,
  kernelAddressText,
  parseKernelAddress,
} from '#internal/backends/dragonfly/kernel-address.js';
import {
  decodeProcesses,
  isKernelThread,
  processInfo,
} from '#internal/backends/dragonfly/kinfo.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import {
  bitKind,
  decodeInt,
  decodeKind,
  decodeLong,
  decodeString,
  decodeStrings,
  decodeWholeText,
  encodeInt,
} from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel } from '#internal/backends/model/index.js';
import { encodeProcess } from '#internal/backends/model/kinfo-encoder.js';
import { JailError } from '#internal/errors.js';
import { jailBy } from '../support/recordings.js';

const anyBytes = fc.uint8Array({ maxLength: 4096 });
const anyText = fc.string({ unit: 'binary', maxLength: 2000 });
const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});
const ipv6 = groups.map((parts) => {
  const text = parts.map((part) => part.toString(16)).join(':');
  return canonicalAddress(text) ?? assert.fail(text);
});
const address = fc.oneof(fc.ipV4(), ipv6);

/** A value, or an error of this package: nothing else may come of any bytes. */
function valueOrTypedError(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    assert.ok(error instanceof JailError, String(error));
  }
}

describe('struct jail', () => {
  // The bytes and pointers of a structure at a known address, read back field by field.
  function unpack(addresses: readonly string[]) {
    const base = 0x1000n;
    const spec = { path: '/jail', hostname: 'h', addresses };
    const { bytes, pointers, structSize } = packJail(spec, layout59, base);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = (offset: number) => Number(view.getBigUint64(offset, true) - base);
    return { bytes: Buffer.from(bytes), view, pointers, structSize, at };
  }

  for (const count of [0, 1, 2, 17, 64]) {
    it(`packs ${count} addresses of both families, the first of each family last`, () => {
      const addresses = Array.from({ length: count }, (_, index) =>
        index % 2 === 0 ? `10.0.0.${index + 1}` : `fd00::${(index + 1).toString(16)}`,
      );
      const { bytes, view, pointers, structSize, at } = unpack(addresses);
      assert.equal(structSize, 40);
      assert.equal(view.getUint32(0, true), 1);
      assert.equal(view.getUint32(24, true), count);
      assert.deepEqual(pointers, count === 0 ? [8, 16] : [8, 16, 32]);
      assert.equal(bytes.toString('latin1', at(8), at(8) + 6), '/jail\0');
      assert.equal(bytes.toString('latin1', at(16), at(16) + 2), 'h\0');
      if (count === 0) assert.equal(view.getBigUint64(32, true), 0n);
      for (const [index, text] of [...addresses].reverse().entries()) {
        const start = at(32) + index * 128;
        const sockaddr = bytes.subarray(start, start + 128);
        const v4 = isIPv4(text);
        assert.deepEqual([...sockaddr.subarray(0, 2)], v4 ? [16, 2] : [28, 28]);
        const raw = v4 ? sockaddr.subarray(4, 8) : sockaddr.subarray(8, 24);
        assert.equal(addressText(raw), text);
        assert.ok(sockaddr.subarray(v4 ? 8 : 24).every((byte) => byte === 0));
      }
    });

    it(`${count} addresses come back from the kernel in the order of the API`, () => {
      const addresses = Array.from({ length: count }, (_, index) =>
        index % 3 === 0 ? `fd00::${(index + 1).toString(16)}` : `10.0.1.${index + 1}`,
      );
      const kernel = new ModelKernel();
      kernel.directory('/jail');
      const child = kernel.host.fork();
      jailBy(child, 'h', '/jail', [...addresses].reverse());
      const text = Buffer.from(kernel.host.sysctl('jail.list').bytes).toString();
      const [row] = parseJailList(text).rows;
      assert.deepEqual(
        row?.addresses.map(({ address }) => address),
        addresses,
      );
    });
  }

  it('version 0 has one IPv4 address in the byte order of the host', () => {
    const { bytes, structSize } = packJailV0(
      { path: '/', hostname: 'h', addresses: ['10.0.0.1'] },
      layout59,
    );
    assert.equal(structSize, 32);
    assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true), 0x0a000001);
    for (const addresses of [[], ['::1'], ['10.0.0.1', '10.0.0.2']]) {
      assert.throws(
        () => packJailV0({ path: '/', hostname: 'h', addresses }, layout59),
        /one IPv4/,
      );
    }
  });

  it('refuses null bytes', () => {
    for (const spec of [
      { path: '/a\0b', hostname: 'h' },
      { path: '/', hostname: 'h\0' },
    ]) {
      assert.throws(() => packJail({ ...spec, addresses: [] }, layout59), JailError);
    }
  });
});

describe('addresses of jail.list', () => {
  it('every address that the kernel prints is read back', () => {
    fc.assert(
      fc.property(address, (text) => {
        const printed = kernelAddressText(addressBytes(text));
        assert.equal(parseKernelAddress(printed)?.address, text);
      }),
    );
  });

  it('any text is a canonical address, or none', () => {
    const piece = fc.constantFrom(
      '0001',
      '0',
      ':',
      '::',
      'fd00',
      '00a0',
      '0000',
      'g',
      '1',
      '.',
      '10',
    );
    const text = fc.oneof(
      anyText,
      fc.array(piece).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (word) => {
        const parsed = parseKernelAddress(word);
        if (parsed !== null) assert.equal(canonicalAddress(parsed.address), parsed.address, word);
      }),
      { numRuns: 2000 },
    );
  });

  const printed: [string, string][] = [
    ['::', '::'],
    ['::1', '::0001'],
    ['1::', '0001::'],
    ['2001:db8:0:1::2', '2001:0db8:0:0001::0002'],
    ['2001:db8:1:2:3:4:5:0', '2001:0db8:0001:0002:0003:0004:0005:'],
    ['::ffff:10.0.0.1', '::ffff:0a00:0001'],
  ];
  for (const [text, kernel] of printed) {
    it(`${text} is ${kernel}`, () => {
      assert.equal(kernelAddressText(addressBytes(text)), kernel);
      assert.equal(parseKernelAddress(kernel)?.address, canonicalAddress(text));
    });
  }
});

describe('jail.list', () => {
  const all = () => true;
  const rowsOf = (text: string) => parseJailList(text).rows;

  it('empty is no jail', () => assert.deepEqual(rowsOf(''), []));

  it('hostnames may be empty, and hostnames and paths may have spaces', () => {
    const [a, b, c] = rowsOf(
      '3  /jail 10.0.0.1\n2 two words /tmp/a b c fd00::0001\n1 x /tmp/a b c',
    );
    assert.deepEqual([a?.hostname, a?.path], ['', '/jail']);
    assert.deepEqual([b?.hostname, b?.path], ['two words', '/tmp/a b c']);
    assert.deepEqual(b?.addresses, [{ address: 'fd00::1', family: 'IPv6' }]);
    assert.deepEqual([c?.path, c?.addresses], ['/tmp/a b c', []]);
  });

  it('addresses of unknown families are left out', () => {
    const [row] = rowsOf('1 h /jail ::0001 ?family? 10.0.0.1');
    const addresses = row?.addresses.map((own) => own.address);
    assert.deepEqual(addresses, ['::1', '10.0.0.1']);
  });

  it('honest rows are confirmed', () => {
    const listing = parseJailList('3 c /c\n2 b /b 10.0.0.1\n1 a /a');
    assert.deepEqual([...confirmRows(listing, all)], [3, 2, 1]);
  });

  const forgeries: [string, string, number[], number[]][] = [
    ['a jail that does not exist', '5 evil /x\n9 root /etc\n1 a /a', [5, 9], [1]],
    ['a second row of another jail', '5 e /x\n1 fake /etc /real\n1 a /a', [5, 1], []],
    ['a row that hides behind half of its own', '5 evil\n4 fake /etc /real\n1 a /a', [5, 4, 1], []],
    ['a row out of order', '3 evil /x\n4 fake /etc /real\n1 a /a', [3, 4], [1]],
    ['a path of its own', '5 evil /etc /real\n1 a /a', [5], [1]],
  ];
  for (const [what, text, doubtful, believed] of forgeries) {
    it(`${what} is not confirmed`, () => {
      const exists = (jid: number) => jid !== 9;
      const confirmed = confirmRows(parseJailList(text), exists);
      for (const jid of doubtful) assert.ok(!confirmed.has(jid), `${jid}`);
      for (const jid of believed) assert.ok(confirmed.has(jid), `${jid}`);
    });
  }

  it('whatever a jail calls itself, no other jail is told wrongly and confirmed', () => {
    const hostname = fc.oneof(
      anyText,
      fc
        .array(
          fc.constantFrom('1', '2', '3', '4', ' ', '\n', '/', 'x', ' /etc', '\n2 x /f', '10.0.0.9'),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostname, (forged) => {
        const kernel = new ModelKernel();
        for (const path of ['/a', '/b', '/c']) kernel.directory(path);
        const jails = ['/a', '/b', '/c'].map((path) => {
          const child = kernel.host.fork();
          jailBy(child, 'honest', path);
          return child;
        });
        const prison = kernel.prisons.find(2);
        assert.ok(prison !== undefined);
        prison.hostname = forged.replaceAll('\0', '');
        const text = kernel.prisons.list(kernel.root);
        const listing = parseJailList(text);
        const confirmed = confirmRows(listing, (jid) => kernel.prisons.find(jid) !== undefined);
        for (const row of listing.rows) {
          if (!confirmed.has(row.jid)) continue;
          assert.equal(row.path, ['', '/a', '/b', '/c'][row.jid], JSON.stringify(text));
        }
        assert.equal(jails.length, 3);
      }),
      { numRuns: 400 },
    );
  });

  it('any text is rows, or nothing', () => {
    const line = fc.oneof(
      anyText,
      fc.tuple(fc.nat(), anyText, anyText).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(
        fc.array(line).map((lines) => lines.join('\n')),
        (text) => {
          const listing = parseJailList(text);
          for (const { jid, path } of listing.rows) {
            assert.ok(Number.isInteger(jid) && jid >= 1 && jid <= 999_998);
            assert.ok(path.startsWith('/'));
          }
          for (const jid of confirmRows(listing, all)) assert.ok(jid > 0);
        },
      ),
    );
  });

  it('10,000 jails, whole and cut anywhere', () => {
    const text = Array.from({ length: 10_000 }, (_, index) => row(10_000 - index)).join('\n');
    const listing = parseJailList(text);
    assert.equal(listing.rows.length, 10_000);
    assert.equal(confirmRows(listing, all).size, 10_000);
    fc.assert(
      fc.property(fc.nat({ max: text.length }), (end) => {
        assert.ok(parseJailList(text.slice(0, end)).rows.length <= 10_000);
      }),
      { numRuns: 20 },
    );
  });

  it('only what fits into its share is let through', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => `fd00::${index + 1}`);
    const spec = { path: '/jail', hostname: 'h' };
    checkListingBudget({ ...spec, addresses: many(17) });
    assert.throws(
      () => checkListingBudget({ ...spec, addresses: many(200) }),
      (error) => error instanceof JailError && error.code === 'ERR_JAIL_LIMIT',
    );
    const kernel = new ModelKernel();
    kernel.directory('/jail');
    const child = kernel.host.fork();
    jailBy(child, 'h', '/jail', many(17));
    const { length } = kernel.host.sysctl('jail.list');
    assert.ok(listingBytes({ ...spec, addresses: many(17) }) >= length);
  });
});

function row(jid: number): string {
  return `${jid} host${jid}.example.org /jails/number ${jid} fd00::${(jid % 65_535).toString(16).padStart(4, '0')} 10.0.0.1`;
}

const STRUCTURES: Readonly<Record<string, string>> = {
  jailV0: 'jail_v0',
  sockaddrStorage: 'sockaddr_storage',
  sockaddrIn: 'sockaddr_in',
  sockaddrIn6: 'sockaddr_in6',
  sockaddrUn: 'sockaddr_un',
  kinfoProc: 'kinfo_proc',
  kinfoLwp: 'kinfo_lwp',
};

/** What an addon tells whose system has so many words more before each field of kinfo_lwp and kinfo_proc. */
function grownFields(gaps: readonly number[]): CompiledField[] {
  const lwp = grown('kinfoLwp', gaps, 0);
  const more = (lwp[0]?.size ?? 0) - layout59.structs.kinfoLwp.size;
  const others = (Object.keys(layout59.structs) as (keyof typeof layout59.structs)[])
    .filter((name) => name !== 'kinfoProc' && name !== 'kinfoLwp')
    .flatMap((name) => grown(name, [], 0));
  return [...lwp, ...grown('kinfoProc', gaps.slice(20), more), ...others];
}

function grown(
  name: keyof typeof layout59.structs,
  gaps: readonly number[],
  inLwp: number,
): CompiledField[] {
  const { size, fields } = layout59.structs[name];
  const structure = STRUCTURES[name] ?? name;
  const places = Object.entries(fields).sort(([, a], [, b]) => a[0] - b[0]);
  let shift = 0;
  const rows = places.map(([field, [offset, bytes]], index) => {
    shift += 8 * (gaps[index] ?? 0);
    const row = { structure, field, offset: offset + shift, size: bytes };
    if (field === 'kp_lwp') shift += inLwp;
    return row;
  });
  return [{ structure, field: '', offset: 0, size: size + shift }, ...rows];
}

describe('kern.proc', () => {
  const { size } = layout59.structs.kinfoProc;

  it('any bytes decode, or are a typed error', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        valueOrTypedError(() => {
          const decoded = decodeProcesses(bytes, layout59);
          for (const process of decoded) processInfo(process, []);
          assert.equal(decoded.length * size, bytes.length);
        });
      }),
    );
  });

  it('a length that is no multiple of a record is refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 * size }), (length) => {
        const decode = () => decodeProcesses(new Uint8Array(length), layout59);
        if (length % size === 0) assert.equal(decode().length, length / size);
        else assert.throws(decode, (error) => (error as JailError).code === 'ERR_JAIL_PROTOCOL');
      }),
    );
  });

  it('bytes in the middle of a larger buffer decode as any others', () => {
    const kernel = new ModelKernel();
    const { bytes } = kernel.host.sysctlMib([1, 14, 0]);
    const shifted = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    assert.deepEqual(decodeProcesses(shifted, layout59), decodeProcesses(bytes, layout59));
  });

  it('a release whose records have grown anywhere is read by the layout that the addon was compiled with', () => {
    const kernel = new ModelKernel();
    const bytes = encodeProcess(kernel.host.entry, layout59);
    const gaps = fc.array(fc.nat({ max: 4 }), { minLength: 80, maxLength: 80 });
    fc.assert(
      fc.property(gaps, (sizes) => {
        const layout = compiledLayout(grownFields(sizes));
        const grown = encodeProcess(kernel.host.entry, layout);
        assert.equal(grown.length, layout.structs.kinfoProc.size);
        assert.deepEqual(decodeProcesses(grown, layout), decodeProcesses(bytes, layout59));
      }),
    );
  });

  it('the kernel’s own threads are told apart', () => {
    const kernel = new ModelKernel({ kernelThreads: [{ name: 'idle_0', idle: true }] });
    const all = decodeProcesses(kernel.host.sysctlMib([1, 14, 0]).bytes, layout59);
    assert.deepEqual(
      all.filter(isKernelThread).map(({ command }) => command),
      ['swapper', 'idle_0'],
    );
  });
});

describe('sysctl values', () => {
  it('any bytes are a value, or a typed error', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        for (const decode of [decodeInt, decodeLong, decodeString, decodeStrings]) {
          valueOrTypedError(() => decode(bytes));
        }
      }),
    );
  });

  it('ints and longs', () => {
    assert.equal(decodeInt(encodeInt(-1)), -1);
    assert.equal(decodeLong(encodeInt(-5)), -5n);
    assert.equal(decodeLong(new Uint8Array([1, 0, 0, 0, 1, 0, 0, 0])), 4_294_967_297n);
    assert.throws(() => decodeInt(new Uint8Array(2)), JailError);
  });

  it('strings with and without their end', () => {
    assert.equal(decodeString(Buffer.from('abc\0def')), 'abc');
    assert.equal(decodeString(Buffer.from('abc')), 'abc');
    assert.deepEqual(decodeStrings(Buffer.from('/bin/x\0\0b\0')), ['/bin/x', '', 'b']);
    assert.deepEqual(decodeStrings(new Uint8Array(0)), []);
  });

  it('a bit of a word has the type of a node, and is told apart', () => {
    assert.deepEqual(decodeKind(0xc0002051), { type: 'bit', writable: true, bit: 1 });
    assert.deepEqual(decodeKind(0xc2002bd1), { type: 'bit', writable: true, bit: 47 });
    assert.deepEqual(decodeKind(0x80000003), { type: 'string', writable: false, bit: null });
    assert.deepEqual(decodeKind(0x80002002), { type: 'int', writable: false, bit: null });
    assert.equal(bitKind(47, 0xc2002000), 0xc2002bd1);
    fc.assert(fc.property(fc.integer(), (kind) => void decodeKind(kind)));
  });
});

describe('capability nodes', () => {
  const nodesOf = (version: '5.6' | '5.8' | '6.x') => {
    const kernel = new ModelKernel({ version });
    return new Set(kernel.sysctlNodes('jail').map(({ name }) => name));
  };

  it('the names of a kernel are found by what is there', () => {
    const expected = { '5.6': 'global', '5.8': 'jail', '6.x': 'jail-fs' } as const;
    for (const version of ['5.6', '5.8', '6.x'] as const) {
      const nodes = nodesOf(version);
      assert.equal(
        detectVocabulary((name) => nodes.has(name)),
        expected[version],
      );
    }
    assert.equal(
      detectVocabulary(() => false),
      null,
    );
  });

  it('a capability that the kernel does not know is off', () => {
    const read = readCapabilities(
      'jail',
      () => 1,
      (name) => defaultNode('jail', name),
    );
    assert.deepEqual([read.mountTmpfs, read.mountDevfs, read.mountFusefs], [true, false, false]);
  });

  it('jids of more than five digits have no nodes', () => {
    assert.equal(jailNode(99_999, 'rawSockets'), 'jail.99999.net_raw_sockets');
    assert.ok(!hasOwnNodes(100_000));
    assert.throws(() => jailNode(123_456, 'rawSockets'), RangeError);
  });
});

describe('speed of the codecs', () => {
  // The best of several, as anything else measures the machine's other guests.
  function best(work: () => void): number {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 30; round++) {
      const start = performance.now();
      work();
      least = Math.min(least, performance.now() - start);
    }
    return least;
  }

  it('1,000 jails are listed in less than 5 ms', () => {
    const kernel = new ModelKernel();
    kernel.directory('/jails');
    for (let index = 0; index < 1000; index++) {
      jailBy(kernel.host.fork(), `host${index}.example.org`, '/jails', [
        '10.0.0.1',
        `fd00::${index + 1}`,
      ]);
    }
    const { bytes } = kernel.host.sysctl('jail.list');
    const jids = new Set(kernel.jails.map(({ jid }) => jid));
    const ms = best(() => {
      const listing = parseJailList(decodeWholeText(bytes));
      assert.equal(confirmRows(listing, (jid) => jids.has(jid)).size, 1000);
    });
    console.log(`      ${ms.toFixed(2)} ms`);
    assert.ok(ms < 5, `${ms} ms`);
  });

  it('1,000 processes are decoded in less than 5 ms', () => {
    const kernel = new ModelKernel({ kernelThreads: [] });
    while (kernel.processes.all.length < 1000) kernel.host.fork();
    const { bytes } = kernel.host.sysctlMib([1, 14, 0]);
    const ms = best(() => assert.equal(decodeProcesses(bytes, layout59).length, 1000));
    console.log(`      ${ms.toFixed(2)} ms`);
    assert.ok(ms < 5, `${ms} ms`);
  });
});
