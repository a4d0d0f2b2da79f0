import { JailError } from '../../errors.js';
import type { FieldPlace } from './layout.js';

// amd64, the only architecture that DragonFly has, is little-endian.
const LITTLE = true;

/** A view of exactly these bytes, wherever they lie in their buffer. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// By index, here and below: taking a pair apart runs an iterator, and there are two dozen fields in a process.

/** Reads an unsigned field of 1, 2, 4 or 8 bytes; what is above 2^53 loses its lowest bits. */
export function readUnsigned(view: DataView, base: number, place: FieldPlace): number {
  const at = base + place[0];
  const size = place[1];
  if (size === 4) return view.getUint32(at, LITTLE);
  if (size === 8) return view.getUint32(at, LITTLE) + view.getUint32(at + 4, LITTLE) * 2 ** 32;
  return size === 2 ? view.getUint16(at, LITTLE) : view.getUint8(at);
}

/** Reads a signed field of 2, 4 or 8 bytes. */
export function readSigned(view: DataView, base: number, place: FieldPlace): number {
  const at = base + place[0];
  const size = place[1];
  if (size === 4) return view.getInt32(at, LITTLE);
  if (size === 8) return view.getUint32(at, LITTLE) + view.getInt32(at + 4, LITTLE) * 2 ** 32;
  return size === 2 ? view.getInt16(at, LITTLE) : view.getInt8(at);
}

/** Writes an integer of 1, 2, 4 or 8 bytes, cut to its size. */
export function writeInteger(
  view: DataView,
  base: number,
  [offset, size]: FieldPlace,
  value: number | bigint,
): void {
  const at = base + offset;
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), LITTLE);
  else if (size === 4) view.setUint32(at, Number(value) >>> 0, LITTLE);
  else if (size === 2) view.setUint16(at, Number(value) & 0xffff, LITTLE);
  else view.setUint8(at, Number(value) & 0xff);
}

/** Reads a string that ends at its NUL, or with its field. Bytes that are no UTF-8 become U+FFFD. */
export function readText(bytes: Uint8Array, base: number, place: FieldPlace): string {
  const start = base + place[0];
  const limit = start + place[1];
  let end = start;
  while (end < limit && bytes[end] !== 0) end++;
  return decodeText(bytes, start, end);
}

/** Writes a string and its NUL; what does not fit is left out. */
export function writeText(
  bytes: Uint8Array,
  base: number,
  [offset, size]: FieldPlace,
  text: string,
): void {
  const encoded = Buffer.from(text).subarray(0, size - 1);
  bytes.set(encoded, base + offset);
}

// Most names are a few ASCII characters: a decoder costs ten times as much as these.
function decodeText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80) return Buffer.from(bytes.subarray(start, end)).toString('utf8');
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * The error of bytes that cannot be what they should be: kernel and headers disagree, or the answer was cut.
 *
 * @param what what was read, as the start of the sentence
 * @param problem what is wrong with it
 */
export function malformed(what: string, problem: string): JailError {
  const hint = 'the kernel is not the release that this package was compiled for: rebuild it there';
  return new JailError('ERR_JAIL_PROTOCOL', `${what}: ${problem}`, { hint });
}
