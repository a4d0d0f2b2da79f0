import assert from 'node:assert/strict';
import { BrokenFile, bytesSource } from '#internal/rootfs/elf/bytes.js';
import { type ElfFile, parseElf } from '#internal/rootfs/elf/parse.js';
import { makeElf } from '../../support/elf.js';
import type { Target } from '../target.js';

const MAX_NAME = 4096;
const MAX_NAMES = 4096;

/** Programs and libraries of a root: what they need, or the error that says what is broken. */
export const elf: Target = {
  name: 'elf',
  seeds: () => [
    makeElf({ interpreter: '/lib/ld.so', needed: ['liba.so', 'libb.so.6'], rpath: '/a:/b' }),
    makeElf({ bits: 32, soname: 'libx.so', runpath: '$ORIGIN/../lib', flags: 0x800 }),
    makeElf({ littleEndian: false, needed: ['liba.so'], type: 2 }),
    makeElf({ bits: 32, littleEndian: false, interpreter: '/libexec/ld-elf.so.2' }),
  ],
  words: [
    '\x7fELF',
    '\0',
    '/',
    '/lib/ld.so\0',
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0),
    Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
    Uint8Array.of(0xfb, 0xff, 0xff, 0x6f),
    ...[1, 2, 3, 5, 10, 14, 15, 29].map((tag) => Uint8Array.of(tag, 0, 0, 0)),
  ],
  maxLength: 4096,
  run(input) {
    const file = fileOf(input);
    if (file !== null) check(input, file);
  },
};

function fileOf(input: Uint8Array): ElfFile | null {
  try {
    return parseElf(bytesSource(input));
  } catch (error) {
    assert.ok(error instanceof BrokenFile, String(error));
    return null;
  }
}

// What it says goes into paths on the host: no name may hold what no name holds, nor what is not in the file.
function check(input: Uint8Array, file: ElfFile): void {
  assert.ok(input.length >= 52);
  assert.equal(Buffer.from(input.subarray(0, 4)).toString('latin1'), '\x7fELF');
  const { interpreter, needed, soname, rpath, runpath } = file;
  assert.ok(interpreter === null || interpreter.startsWith('/'));
  assert.ok(needed.length <= MAX_NAMES);
  for (const name of [interpreter, soname, rpath, runpath, ...needed]) {
    if (name === null) continue;
    assert.ok(!/\p{Cc}/u.test(name), JSON.stringify(name));
    const bytes = Buffer.from(name);
    assert.ok(bytes.length < MAX_NAME);
    assert.ok(Buffer.from(input).includes(Buffer.concat([bytes, Buffer.of(0)])));
  }
}
