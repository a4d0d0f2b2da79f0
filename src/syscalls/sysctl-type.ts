import { decodeKind } from '../backends/dragonfly/sysctl-value.js';

/** What the kernel says of a value, `CTLTYPE_…` in sys/sysctl.h; a `bit` of a word is read and written as an int. */
export type SysctlType =
  | 'node'
  | 'int'
  | 'string'
  | 's64'
  | 'opaque'
  | 'uint'
  | 'long'
  | 'ulong'
  | 'u64'
  | 'u8'
  | 'u16'
  | 's8'
  | 's16'
  | 's32'
  | 'u32'
  | 'bit';

/** How a number is stored. */
export interface NumberType {
  /** Bytes. */
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

// In the order of their numbers.
const TYPES = [
  'opaque',
  'node',
  'int',
  'string',
  's64',
  'opaque',
  'uint',
  'long',
  'ulong',
  'u64',
  'u8',
  'u16',
  's8',
  's16',
  's32',
  'u32',
] as const satisfies readonly SysctlType[];

const NUMBERS: Readonly<Partial<Record<SysctlType, NumberType>>> = {
  int: { size: 4, signed: true },
  uint: { size: 4, signed: false },
  bit: { size: 4, signed: true },
  s8: { size: 1, signed: true },
  u8: { size: 1, signed: false },
  s16: { size: 2, signed: true },
  u16: { size: 2, signed: false },
  s32: { size: 4, signed: true },
  u32: { size: 4, signed: false },
  s64: { size: 8, signed: true },
  u64: { size: 8, signed: false },
  long: { size: 8, signed: true },
  ulong: { size: 8, signed: false },
};

/** The type in a node's kind. */
export function sysctlType(kind: number): SysctlType {
  if (decodeKind(kind).type === 'bit') return 'bit';
  return TYPES[kind & 0xf] ?? 'opaque';
}

/** How values of that type are stored; null: they are no numbers. */
export function numberType(type: SysctlType): NumberType | null {
  return NUMBERS[type] ?? null;
}
