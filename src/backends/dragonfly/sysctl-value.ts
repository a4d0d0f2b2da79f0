import { malformed, readText, viewOf } from './bytes.js';

/** `CTLTYPE_…`, the low four bits of a node's kind. */
export const sysctlTypes = { node: 1, int: 2, string: 3, quad: 4, opaque: 5, uint: 6 } as const;

/** `CTLFLAG_…`. */
export const sysctlFlags = {
  read: 0x80000000,
  write: 0x40000000,
  anybody: 0x10000000,
  prison: 0x04000000,
  dynamic: 0x02000000,
} as const;

const TYPE_MASK = 0xf;
const BIT_FLAG = 0x10;
const BIT_SHIFT = 6;
const BIT_MASK = 0x7f;

/** What a node's kind says. */
export interface SysctlKind {
  readonly type: 'node' | 'int' | 'uint' | 'string' | 'quad' | 'opaque' | 'bit';
  readonly writable: boolean;
  /** Of a `bit`: its number in the 64-bit word. Its value is an int of 4 bytes all the same. */
  readonly bit: number | null;
}

/** Takes a node's kind apart. A bit of a 64-bit word has the type of a node, and is none. */
export function decodeKind(kind: number): SysctlKind {
  const unsigned = kind >>> 0;
  const writable = (unsigned & sysctlFlags.write) !== 0;
  if ((unsigned & BIT_FLAG) !== 0) {
    return { type: 'bit', writable, bit: (unsigned >>> BIT_SHIFT) & BIT_MASK };
  }
  const types = ['opaque', 'node', 'int', 'string', 'quad', 'opaque', 'uint'] as const;
  return { type: types[unsigned & TYPE_MASK] ?? 'opaque', writable, bit: null };
}

/** The kind of a bit of a 64-bit word: the reverse of {@link decodeKind}. */
export function bitKind(bit: number, flags: number): number {
  return (flags | BIT_FLAG | sysctlTypes.node | (bit << BIT_SHIFT)) >>> 0;
}

/** An int of 4 bytes. @throws JailError `ERR_JAIL_PROTOCOL` for any other size */
export function decodeInt(bytes: Uint8Array): number {
  if (bytes.length !== 4) throw malformed('sysctl value', `${bytes.length} bytes for an int`);
  return viewOf(bytes).getInt32(0, true);
}

/** A long, or an int where the kernel has that. @throws JailError `ERR_JAIL_PROTOCOL` */
export function decodeLong(bytes: Uint8Array): bigint {
  if (bytes.length === 8) return viewOf(bytes).getBigInt64(0, true);
  return BigInt(decodeInt(bytes));
}

/** A string, with or without its NUL; bytes that are no UTF-8 become U+FFFD. */
export function decodeString(bytes: Uint8Array): string {
  return readText(bytes, 0, [0, bytes.length]);
}

/** Text that may hold NUL bytes and anything else. */
export function decodeWholeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** 4 bytes. */
export function encodeInt(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
}

/** Strings that each end in a NUL: KERN_PROC_ARGS. */
export function decodeStrings(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  const text = decodeWholeText(bytes);
  return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
}
