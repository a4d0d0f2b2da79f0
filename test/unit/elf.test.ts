import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { BrokenFile, bytesSource } from '#internal/rootfs/elf/bytes.js';
import { type ElfFile, parseElf } from '#internal/rootfs/elf/parse.js';
import { parseBsdHints } from '#internal/rootfs/libraries/bsd-hints.js';
import { formatGlibcCache, parseGlibcCache } from '#internal/rootfs/libraries/glibc-cache.js';
import { parseScriptLine } from '#internal/rootfs/service/script.js';
import { type ElfMade, makeElf } from '../support/elf.js';

const RUNS = 2000;

const parse = (bytes: Uint8Array): ElfFile => parseElf(bytesSource(bytes));

/** What a hostile file may lead to: an answer or this error, and nothing else. */
function parseOrRefuse<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    assert(error instanceof BrokenFile, `${error}`);
    return null;
  }
}

const text = fc.stringMatching(/^[A-Za-z0-9_./$+-]{1,40}$/);
const elf: fc.Arbitrary<ElfMade> = fc.record(
  {
    bits: fc.constantFrom(32 as const, 64 as const),
    littleEndian: fc.boolean(),
    machine: fc.integer({ min: 0, max: 0xffff }),
    type: fc.constantFrom(2, 3),
    interpreter: text.map((path) => `/${path}`),
    needed: fc.array(text, { maxLength: 8 }),
    soname: text,
    rpath: text,
    runpath: text,
  },
  { requiredKeys: [] },
);

describe('an ELF file', () => {
  it('tells its needs, of 32 and 64 bits and in both byte orders', () => {
    fc.assert(
      fc.property(elf, (made) => {
        const read = parse(makeElf(made));
        const { bits = 64, littleEndian = true, machine = 62, type = 3, needed = [] } = made;
        assert.deepEqual(read, {
          bits,
          littleEndian,
          machine,
          type: type === 2 ? 'executable' : 'shared',
          interpreter: made.interpreter ?? null,
          needed: [...needed],
          soname: made.soname ?? null,
          rpath: made.rpath ?? null,
          runpath: made.runpath ?? null,
          noDefaultLibraries: false,
        });
      }),
    );
  });

  it('tells when it wants nothing of the system’s directories', () => {
    for (const littleEndian of [true, false]) {
      assert.equal(parse(makeElf({ flags: 0x800, littleEndian })).noDefaultLibraries, true);
      assert.equal(parse(makeElf({ flags: 0x1, littleEndian })).noDefaultLibraries, false);
    }
  });

  it('is refused or read, whatever was changed in it', () => {
    const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(elf, fc.array(change, { minLength: 1, maxLength: 12 }), (made, changes) => {
        const bytes = makeElf(made);
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        parseOrRefuse(() => parse(bytes));
      }),
      { numRuns: RUNS },
    );
  });

  it('is refused or read with extreme numbers at every place of it', () => {
    const whole = makeElf({
      interpreter: '/lib/ld.so',
      needed: ['liba.so', 'libb.so'],
      rpath: '/a',
    });
    for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
      for (let at = 4; at + 4 <= whole.length; at += 2) {
        const bytes = Buffer.from(whole);
        bytes.writeUInt32LE(value, at);
        parseOrRefuse(() => parse(bytes));
      }
    }
  });

  it('is refused when it is cut anywhere', () => {
    const whole = makeElf({ interpreter: '/lib/ld.so', needed: ['libc.so.6'], soname: 'libx.so' });
    for (let length = 0; length < whole.length - 16; length++) {
      assert.throws(() => parse(whole.subarray(0, length)), BrokenFile, `${length} bytes`);
    }
  });

  it('is refused or read when it is only bytes', () => {
    const magic = fc.constantFrom([], [0x7f, 0x45, 0x4c, 0x46], [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 600 }), (start, rest) => {
        parseOrRefuse(() => parse(Buffer.from([...start, ...rest])));
      }),
      { numRuns: RUNS },
    );
  });

  it('is read when it is a real program, and refused or read with bytes of it changed', () => {
    const node = readFileSync(process.execPath);
    const { interpreter, needed, bits } = parse(node);
    assert.match(interpreter ?? '', /^\/.*ld/);
    assert(needed.some((name) => name.startsWith('libc.')));
    assert.equal(bits, 64);
    const change = fc.record({ at: fc.nat(4096), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const before = changes.map(({ at }) => node[at] ?? 0);
        for (const { at, value } of changes) node[at] = value;
        parseOrRefuse(() => parse(node));
        changes
          .map(({ at }, index) => [at, before[index] ?? 0] as const)
          .reverse()
          .forEach(([at, value]) => {
            node[at] = value;
          });
      }),
    );
  });

  it('says what is wrong with it', () => {
    const reasons: [Buffer, RegExp][] = [
      [Buffer.from('#!/bin/sh\necho a script of some length\n'), /is not an ELF file/],
      [Buffer.from('\x7fELF\x09\x01'.padEnd(64, '\0')), /neither 32 nor 64 bits/],
      [Buffer.from('\x7fELF\x02\x09'.padEnd(64, '\0')), /unknown byte order/],
      [makeElf({ type: 1 }), /no program and no library/],
      [makeElf({ interpreter: 'ld.so' }), /names a loader without sense/],
      [makeElf({ interpreter: `/${'x'.repeat(5000)}` }), /loader of more than 4096 bytes/],
      [makeElf({ needed: ['lib\n.so'] }), /a name that is no text/],
      [makeElf({ needed: Array(5000).fill('a') }), /more libraries than makes sense/],
    ];
    for (const [bytes, reason] of reasons) assert.throws(() => parse(bytes), reason);
  });

  it('does not take long, however hostile it is', () => {
    const needed = Array.from({ length: 4096 }, (_, index) => `lib${index}.so`);
    const start = performance.now();
    assert.equal(parse(makeElf({ needed })).needed.length, 4096);
    assert(performance.now() - start < 2000);
  });
});

describe('the cache of ldconfig', () => {
  const libraries = [
    { name: 'libz.so.1', path: '/usr/lib/libz.so.1', flags: 0x303, special: false },
    { name: 'libc.so.6', path: '/lib/libc.so.6', flags: 0x303, special: false },
  ];

  it('is read as it was written, in both byte orders', () => {
    for (const littleEndian of [true, false]) {
      const bytes = formatGlibcCache(libraries, littleEndian);
      assert.deepEqual(parseGlibcCache(bytes), libraries);
    }
  });

  it('is found behind the form of old systems', () => {
    const old = Buffer.alloc(32);
    old.write('ld.so-1.7.0');
    old.writeUInt32LE(1, 12);
    const bytes = Buffer.concat([old, formatGlibcCache(libraries, true)]);
    assert.deepEqual(parseGlibcCache(bytes), libraries);
  });

  it('is refused or read, whatever was changed in it', () => {
    const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.nat(200), (changes, cut) => {
        const bytes = Buffer.from(formatGlibcCache(libraries, true));
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        parseOrRefuse(() => parseGlibcCache(bytes.subarray(0, bytes.length - cut)));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the hints of rtld', () => {
  function hints(directories: string, littleEndian = true): Buffer {
    const bytes = Buffer.alloc(128 + directories.length + 1);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const fields = [0x746e6845, 1, 128, directories.length + 1, 0, directories.length];
    for (const [index, value] of fields.entries()) view.setUint32(index * 4, value, littleEndian);
    bytes.write(directories, 128);
    return bytes;
  }

  it('have directories', () => {
    for (const order of [true, false]) {
      const bytes = hints('/usr/lib:/usr/local/lib:relative', order);
      assert.deepEqual(parseBsdHints(bytes), ['/usr/lib', '/usr/local/lib']);
    }
  });

  it('are refused or read, whatever was changed in them', () => {
    const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.nat(140), (changes, cut) => {
        const bytes = hints('/usr/lib:/opt/lib');
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        parseOrRefuse(() => parseBsdHints(bytes.subarray(0, bytes.length - cut)));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the first line of a script', () => {
  it('names what runs it', () => {
    const lines: [string, string | null, string | null][] = [
      ['#!/bin/sh\necho', '/bin/sh', null],
      ['#! /usr/bin/perl -w\n', '/usr/bin/perl', null],
      ['#!\t/bin/sh', '/bin/sh', null],
      ['#!/usr/bin/env node\n', '/usr/bin/env', 'node'],
      ['#!/usr/bin/env -S node --flag\n', '/usr/bin/env', 'node'],
      ['#!/usr/bin/env -Snode --flag\n', '/usr/bin/env', 'node'],
      ['#!/usr/bin/env -S -i A=1 python3 -u\r\n', '/usr/bin/env', 'python3'],
    ];
    for (const [line, interpreter, command] of lines) {
      assert.deepEqual(parseScriptLine(Buffer.from(line)), { interpreter, command }, line);
    }
    for (const line of ['', '#', '#!', '#!\n/bin/sh', '#!bin/sh\n', ' #!/bin/sh', 'text']) {
      assert.equal(parseScriptLine(Buffer.from(line)), null, line);
    }
  });

  it('may be anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseScriptLine(Buffer.from([0x23, 0x21, ...bytes]));
      }),
    );
  });
});
