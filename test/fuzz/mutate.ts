import type { Random } from './random.js';

/** What inputs are made of. */
export interface Material {
  /** Inputs that are worth changing. */
  readonly corpus: readonly Uint8Array[];
  /** What stands in such inputs: keywords, separators, numbers at their limits. */
  readonly words: readonly Uint8Array[];
  /** Bytes. */
  readonly maxLength: number;
}

type Mutation = (input: Uint8Array, random: Random, material: Material) => Uint8Array;

const MOST_AT_ONCE = 6;
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

const mutations: readonly Mutation[] = [
  flipBit,
  setByte,
  setNumber,
  insertByte,
  insertWord,
  insertWord,
  overwriteWithWord,
  remove,
  repeat,
  move,
  splice,
  cut,
];

/** One input more: another one, changed in a few places. */
export function mutate(random: Random, material: Material): Uint8Array {
  let input = random.pick(material.corpus);
  for (let left = 1 + random.below(MOST_AT_ONCE); left > 0; left--) {
    input = random.pick(mutations)(input, random, material);
  }
  return input.subarray(0, material.maxLength);
}

function replaced(input: Uint8Array, at: number, gone: number, by: Uint8Array): Uint8Array {
  return Buffer.concat([input.subarray(0, at), by, input.subarray(at + gone)]);
}

function somewhere(input: Uint8Array, random: Random): { at: number; length: number } {
  const at = random.below(input.length + 1);
  return { at, length: random.below(Math.min(64, input.length - at) + 1) };
}

function flipBit(input: Uint8Array, random: Random): Uint8Array {
  const at = random.below(input.length);
  return replaced(input, at, 1, Uint8Array.of((input[at] ?? 0) ^ (1 << random.below(8))));
}

function setByte(input: Uint8Array, random: Random): Uint8Array {
  const byte = random.below(2) === 0 ? random.pick(INTERESTING) : random.below(256);
  return replaced(input, random.below(input.length), 1, Uint8Array.of(byte));
}

// Lengths, counts and offsets: at their limits, or a little off.
function setNumber(input: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.alloc(8);
  const size = random.pick([2, 4, 8]);
  const limit = random.pick([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, input.length]);
  const value = BigInt(limit) + BigInt(random.below(5) - 2);
  if (random.below(4) === 0) bytes.writeBigUInt64BE(BigInt.asUintN(64, value << 32n));
  else bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return replaced(input, random.below(input.length + 1), size, bytes.subarray(0, size));
}

function insertByte(input: Uint8Array, random: Random): Uint8Array {
  return replaced(input, random.below(input.length + 1), 0, Uint8Array.of(random.below(256)));
}

function insertWord(input: Uint8Array, random: Random, { words }: Material): Uint8Array {
  return replaced(input, random.below(input.length + 1), 0, random.pick(words));
}

function overwriteWithWord(input: Uint8Array, random: Random, { words }: Material): Uint8Array {
  const word = random.pick(words);
  return replaced(input, random.below(input.length + 1), word.length, word);
}

function remove(input: Uint8Array, random: Random): Uint8Array {
  const { at, length } = somewhere(input, random);
  return replaced(input, at, length, new Uint8Array(0));
}

function repeat(input: Uint8Array, random: Random): Uint8Array {
  const { at, length } = somewhere(input, random);
  const part = input.subarray(at, at + length);
  const times = 1 + random.below(random.below(8) === 0 ? 64 : 3);
  return replaced(input, at, 0, Buffer.concat(Array.from({ length: times }, () => part)));
}

function move(input: Uint8Array, random: Random): Uint8Array {
  const { at, length } = somewhere(input, random);
  return replaced(input, random.below(input.length + 1), 0, input.subarray(at, at + length));
}

function splice(input: Uint8Array, random: Random, { corpus }: Material): Uint8Array {
  const other = random.pick(corpus);
  const start = input.subarray(0, random.below(input.length + 1));
  return Buffer.concat([start, other.subarray(random.below(other.length + 1))]);
}

function cut(input: Uint8Array, random: Random): Uint8Array {
  return random.below(4) === 0 ? input.subarray(0, random.below(input.length + 1)) : input;
}
