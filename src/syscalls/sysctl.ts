import { viewOf } from '../backends/dragonfly/bytes.js';
import { decodeKind, decodeLong, decodeString } from '../backends/dragonfly/sysctl-value.js';
import { invalidType, invalidValue } from '../errors.js';
import { assertFilledText, assertInteger, assertText } from '../validate.js';
import { callKernel, type RawSysctlNode } from './kernel.js';
import { encodeValue } from './sysctl-encode.js';
import { numberType, type SysctlType, sysctlType } from './sysctl-type.js';

/** A node by its name (`'jail.list'`) or by its 1 to 12 numbers (`[1, 14, 0]`, which is `kern.proc.all`). */
export type SysctlId = string | readonly number[];

/** What can be written. */
export type SysctlValue = number | bigint | boolean | string | Uint8Array;

/** A node of the tree, as {@link list} tells it. */
export interface SysctlNode {
  /** `jail.defaults.allow_raw_sockets`, as sysctl(8) prints it. */
  name: string;
  /** Its numbers. Those below `jail` are given out anew with every jail. */
  mib: number[];
  /** What kind of value it has. */
  type: SysctlType;
  /** It can be written, by whom that is allowed. */
  writable: boolean;
  /** As the kernel describes the value, for programs that print it: `I`, `A`, `S,proc`, … */
  format: string;
  /** One line; empty where there is none. That of a `jail.<jid>` node may be its neighbour's: so it is in 5.9. */
  description: string;
}

const MAX_NUMBERS = 12;
const MIN_INT = -(2 ** 31);
const MAX_INT = 2 ** 31 - 1;

/**
 * sysctl(3): the bytes of a value, as the kernel gives them. Where it grows while it is read, it is read again.
 * Does nothing to this process.
 *
 * @param id the node
 * @returns a copy; empty for values that are
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the id
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: this is not DragonFly; `ERR_JAIL_NATIVE`: the addon is missing
 * @throws JailSystemError `ENOENT`: there is no such node; `EISDIR`: it only holds others; `EPERM`: this user may not
 *   read it; `ERANGE`: `jail.list` while a jail's row is too long; `EINVAL`, `ENOTDIR`: not with these numbers
 * @see sysctl(3), sysctl(8)
 * @example
 * ```ts
 * import { sysctl } from 'dragonfly-jail/syscalls';
 *
 * const text = Buffer.from(sysctl.get('jail.list')).toString();
 * ```
 */
export function get(id: SysctlId): Uint8Array {
  checkId(id);
  return callKernel('sysctl(3)', (native) => native.sysctlGet(id));
}

/**
 * sysctl(3): a number of at most 4 bytes, with or without a sign as the kernel has it.
 *
 * @param id the node
 * @returns the number
 * @throws JailError `ERR_INVALID_ARG_VALUE`: its value has another size, see {@link getBigInt} and {@link getString};
 *   and everything that {@link get} throws
 * @see sysctl(3)
 * @example
 * ```ts
 * const release = sysctl.getInt('kern.osreldate'); // 500901
 * ```
 */
export function getInt(id: SysctlId): number {
  const bytes = get(id);
  if (![1, 2, 4].includes(bytes.length)) {
    const hint = bytes.length === 8 ? 'use getBigInt()' : 'use getString() or get()';
    throw invalidValue('id', `a node whose value is an int, not ${bytes.length} bytes`, id, hint);
  }
  return Number(decodeNumber(id, bytes));
}

/**
 * sysctl(3): a number of any size up to 8 bytes, with or without a sign as the kernel has it.
 *
 * @param id the node
 * @returns the number
 * @throws JailError `ERR_INVALID_ARG_VALUE`: its value is no number; and everything that {@link get} throws
 * @see sysctl(3)
 * @example
 * ```ts
 * const bytes = sysctl.getBigInt('hw.physmem'); // 2147483648n
 * ```
 */
export function getBigInt(id: SysctlId): bigint {
  const bytes = get(id);
  if (![1, 2, 4, 8].includes(bytes.length)) {
    const hint = 'use getString() or get()';
    throw invalidValue('id', `a node whose value is a number, not ${bytes.length} bytes`, id, hint);
  }
  return decodeNumber(id, bytes);
}

/**
 * sysctl(3): a text up to its NUL. Bytes that are no UTF-8 become U+FFFD.
 *
 * `jail.list` and a jail's hostname are chosen by the jail's root: `listJails()` of `dragonfly-jail` tells what of them
 * can be believed.
 *
 * @param id the node
 * @returns the text, without its NUL
 * @throws everything that {@link get} throws
 * @see sysctl(3)
 * @example
 * ```ts
 * const system = sysctl.getString('kern.ostype'); // 'DragonFly'
 * ```
 */
export function getString(id: SysctlId): string {
  return decodeString(get(id));
}

/**
 * sysctl(3): writes a value, in the type that the kernel has for it. It is the whole system's, not this process's;
 * capabilities of jails (`jail.<jid>.*`) take effect at once.
 *
 * @param id    the node
 * @param value numbers and bigints for numbers, also true (1) and false (0); a string for a string; bytes for anything,
 *   passed as they are
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the id, or a value that the node cannot take
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: this is not DragonFly; `ERR_JAIL_NATIVE`: the addon is missing
 * @throws JailSystemError `ENOENT`: there is no such node; `EPERM`: it cannot be written, or not by this user, or not from
 *   inside a jail; `EISDIR`: it only holds others; `EINVAL`: a value of the wrong size, or one that is refused
 * @see sysctl(3), sysctl(8), jail(8)
 * @example
 * ```ts
 * sysctl.set('jail.defaults.allow_raw_sockets', true);
 * ```
 */
export function set(id: SysctlId, value: SysctlValue): void {
  checkId(id);
  checkValue(value);
  callKernel('sysctl(3)', (native) => {
    if (value instanceof Uint8Array) return native.sysctlSet(id, value);
    return native.sysctlSet(id, encodeValue(value, sysctlType(native.sysctlNode(id).kind)));
  });
}

/**
 * The nodes of the sysctl tree, as `sysctl -a` walks it. Each costs a few system calls: the whole tree, of well over
 * a thousand nodes, takes some milliseconds.
 *
 * @param prefix `'jail'`: everything below that; a node with a value: itself; `''`: everything
 * @returns in the kernel's order; nodes that go meanwhile, as those of a jail that ends, are left out
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the prefix
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: this is not DragonFly; `ERR_JAIL_NATIVE`: the addon is missing
 * @throws JailSystemError `ENOENT`: there is no such node
 * @see sysctl(3), sysctl(8)
 * @example
 * ```ts
 * for (const { name, writable } of sysctl.list('jail.defaults')) console.log(name, writable);
 * ```
 */
export function list(prefix = ''): SysctlNode[] {
  assertText(prefix, 'prefix', 'the name of a node, or an empty string');
  const raw = callKernel('sysctl(3)', (native) =>
    prefix === '' ? native.sysctlList() : native.sysctlList(prefix),
  );
  return raw.map(describe).filter(({ type }) => type !== 'node');
}

function describe({ name, mib, kind, format, description }: RawSysctlNode): SysctlNode {
  const { writable } = decodeKind(kind);
  return { name, mib: [...mib], type: sysctlType(kind), writable, format, description };
}

function checkId(id: unknown): asserts id is SysctlId {
  const expected = `a name, or an array of 1 to ${MAX_NUMBERS} integers,`;
  if (typeof id === 'string') {
    assertFilledText(id, 'id', 'the name of a node');
    return;
  }
  if (!Array.isArray(id)) throw invalidType('id', expected, id);
  if (id.length === 0 || id.length > MAX_NUMBERS) throw invalidValue('id', expected, id);
  // Not forEach, which steps over holes.
  for (let index = 0; index < id.length; index++) {
    assertInteger(id[index], `id[${index}]`, MIN_INT, MAX_INT);
  }
}

function checkValue(value: unknown): void {
  if (value instanceof Uint8Array) {
    if (value.length === 0) throw invalidValue('value', 'at least one byte', value);
  } else if (typeof value === 'string') {
    assertText(value, 'value');
  } else if (!['number', 'bigint', 'boolean'].includes(typeof value)) {
    throw invalidType(
      'value',
      'a number, a bigint, true or false, a string or a Uint8Array',
      value,
    );
  } else if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw invalidValue('value', 'an integer', value);
  }
}

// Only a number whose highest bit is set reads differently without a sign: no other needs a second question.
function decodeNumber(id: SysctlId, bytes: Uint8Array): bigint {
  const view = viewOf(bytes);
  const small = bytes.length === 1 ? view.getInt8(0) : view.getInt16(0, true);
  const number = bytes.length < 4 ? BigInt(small) : decodeLong(bytes);
  if (number >= 0n) return number;
  const { kind } = callKernel('sysctl(3)', (native) => native.sysctlNode(id));
  const signed = numberType(sysctlType(kind))?.signed ?? true;
  return signed ? number : BigInt.asUintN(8 * bytes.length, number);
}
