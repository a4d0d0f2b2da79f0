import { viewOf } from '../backends/dragonfly/bytes.js';
import { invalidType, invalidValue } from '../errors.js';
import { type NumberType, numberType, type SysctlType } from './sysctl-type.js';

/**
 * A value in the bytes that the kernel takes for a node of that type.
 *
 * @throws JailError `ERR_INVALID_ARG_TYPE`: no such node takes such a value; `ERR_INVALID_ARG_VALUE`: it does not fit
 */
export function encodeValue(
  value: number | bigint | boolean | string,
  type: SysctlType,
): Uint8Array {
  if (type === 'node')
    throw invalidValue('id', 'a node with a value', 'one that only holds others');
  const number = numberType(type);
  if (typeof value === 'string') {
    if (type !== 'string') throw invalidType('value', expected(type), value);
    // As sysctl(8): without its NUL, which the kernel adds. One byte there has to be.
    return Buffer.from(value === '' ? '\0' : value);
  }
  if (number === null) throw invalidType('value', expected(type), value);
  return encodeNumber(value, number, type);
}

function encodeNumber(
  value: number | bigint | boolean,
  { size, signed }: NumberType,
  type: SysctlType,
): Uint8Array {
  const bits = 8 * size;
  const number = BigInt(value);
  const fits = signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number);
  if (fits !== number) throw invalidValue('value', `a number that fits into ${type}`, value);
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt.asUintN(64, number), true);
  return bytes.subarray(0, size);
}

function expected(type: SysctlType): string {
  if (type === 'string') return 'a string';
  return type === 'opaque' ? 'a Uint8Array' : 'a number';
}
