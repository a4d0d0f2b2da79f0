import { bitKind, sysctlFlags, sysctlTypes } from '../dragonfly/sysctl-value.js';
import { fail } from './kernel-error.js';
import type { ProcessEntry } from './process.js';

/** A node of the sysctl tree that has a value. */
export interface SysctlLeaf {
  readonly kind: number;
  readonly format: string;
  readonly description: string;
  read(reader: ProcessEntry): Uint8Array;
  write?(writer: ProcessEntry, bytes: Uint8Array): void;
}

/** A node as a walk over the tree finds it. */
export interface SysctlNode {
  readonly name: string;
  readonly oid: readonly number[];
  readonly leaf: SysctlLeaf;
}

/** A branch, or a leaf. */
type Entry = { readonly number: number; readonly node: SysctlBranch | SysctlLeaf };

const FIRST_AUTOMATIC = 256;

/** A node that has others below it. */
export class SysctlBranch {
  readonly #entries = new Map<string, Entry>();

  /** Adds below it; the number is the next free one unless it is a fixed one. */
  add<T extends SysctlBranch | SysctlLeaf>(name: string, node: T, number = this.#nextNumber()): T {
    this.#entries.set(name, { number, node });
    return node;
  }

  remove(name: string): void {
    this.#entries.delete(name);
  }

  get(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  byNumber(number: number): SysctlBranch | SysctlLeaf | undefined {
    for (const entry of this.#entries.values()) if (entry.number === number) return entry.node;
    return undefined;
  }

  /** In the order of numbers, leaves only. */
  *walk(name: string, oid: readonly number[]): Generator<SysctlNode> {
    const entries = [...this.#entries].sort(([, a], [, b]) => a.number - b.number);
    for (const [part, { number, node }] of entries) {
      const path = name === '' ? part : `${name}.${part}`;
      if (node instanceof SysctlBranch) yield* node.walk(path, [...oid, number]);
      else yield { name: path, oid: [...oid, number], leaf: node };
    }
  }

  #nextNumber(): number {
    let last = FIRST_AUTOMATIC - 1;
    for (const { number } of this.#entries.values()) last = Math.max(last, number);
    return last + 1;
  }
}

/** What a name of several parts leads to. */
export type SysctlTarget = {
  readonly oid: readonly number[];
  readonly node: SysctlBranch | SysctlLeaf;
};

/** sysctlnametomib(3). @throws KernelError ENOENT */
export function resolveName(root: SysctlBranch, name: string): SysctlTarget {
  let node: SysctlBranch | SysctlLeaf = root;
  const oid: number[] = [];
  for (const part of name.split('.')) {
    const entry: Entry | undefined = node instanceof SysctlBranch ? node.get(part) : undefined;
    if (entry === undefined) fail('ENOENT');
    oid.push(entry.number);
    node = entry.node;
  }
  return { oid, node };
}

/** An int of 4 bytes. */
export function intLeaf(
  description: string,
  read: (reader: ProcessEntry) => number,
  write: ((writer: ProcessEntry, value: number) => void) | null = null,
  flags = write === null ? sysctlFlags.read : sysctlFlags.read | sysctlFlags.write,
): SysctlLeaf {
  return {
    kind: (flags | NOLOCK | sysctlTypes.int) >>> 0,
    format: 'I',
    description,
    read: (reader) => int(read(reader)),
    ...(write === null ? {} : { write: (writer, bytes) => write(writer, intOf(bytes)) }),
  };
}

/** One bit of a word of 64: its value is an int of 4 bytes, and anything but 0 sets it. */
export function bitLeaf(
  bit: number,
  description: string,
  flags: number,
  read: () => boolean,
  write: (value: boolean) => void,
): SysctlLeaf {
  return {
    kind: bitKind(bit, flags | NOLOCK | sysctlFlags.read | sysctlFlags.write),
    format: 'I',
    description,
    read: () => int(read() ? 1 : 0),
    write: (_writer, bytes) => write(intOf(bytes) !== 0),
  };
}

// CTLFLAG_NOLOCK: every node of the jail tree but the list has it.
const NOLOCK = 0x2000;

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

// Longer is cut, shorter is refused.
function intOf(bytes: Uint8Array): number {
  if (bytes.length < 4) fail('EINVAL');
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
}
