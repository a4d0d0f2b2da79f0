import { isIPv4 } from 'node:net';
import { canonicalAddress, type JailAddress } from '../../addresses.js';
import { invalidValue } from '../../errors.js';
import { viewOf, writeInteger } from './bytes.js';
import type { KernelLayout } from './layout.js';

const GROUPS = 8;

/** The bytes of an address in network order: 4 or 16. */
export function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  const canonical = canonicalAddress(address);
  if (canonical === null) throw invalidValue('address', 'an IPv4 or IPv6 address', address);
  const bytes = new Uint8Array(2 * GROUPS);
  const view = viewOf(bytes);
  for (const [index, group] of expandGroups(canonical).entries()) view.setUint16(2 * index, group);
  return bytes;
}

function expandGroups(canonical: string): number[] {
  const [head = '', tail] = embedded(canonical).split('::');
  const left = parseGroups(head);
  if (tail === undefined) return left;
  const right = parseGroups(tail);
  const missing = GROUPS - left.length - right.length;
  return [...left, ...new Array<number>(missing).fill(0), ...right];
}

function parseGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

// The canonical form of some addresses ends in a dotted quad.
function embedded(text: string): string {
  const start = text.lastIndexOf(':') + 1;
  const quad = text.slice(start);
  if (!quad.includes('.')) return text;
  const [a = 0, b = 0, c = 0, d = 0] = quad.split('.').map(Number);
  return `${text.slice(0, start)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The reverse of {@link addressBytes}, in the canonical form. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = viewOf(bytes);
  const groups = Array.from({ length: GROUPS }, (_, index) => view.getUint16(2 * index));
  const text = groups.map((group) => group.toString(16)).join(':');
  return canonicalAddress(text) ?? text;
}

/**
 * Packs an address as a `sockaddr_storage`. The scope stays 0: the kernel's own printer reads one byte too far and
 * would show it.
 */
export function packSockaddr(address: string, layout: KernelLayout): Uint8Array {
  const bytes = new Uint8Array(layout.structs.sockaddrStorage.size);
  const view = viewOf(bytes);
  const raw = addressBytes(address);
  if (raw.length === 4) {
    const { size, fields } = layout.structs.sockaddrIn;
    writeInteger(view, 0, fields.sin_len, size);
    writeInteger(view, 0, fields.sin_family, layout.families.inet);
    bytes.set(raw, fields.sin_addr[0]);
  } else {
    const { size, fields } = layout.structs.sockaddrIn6;
    writeInteger(view, 0, fields.sin6_len, size);
    writeInteger(view, 0, fields.sin6_family, layout.families.inet6);
    bytes.set(raw, fields.sin6_addr[0]);
  }
  return bytes;
}

/**
 * An address as `jail.list` shows it: groups of four digits, zeros as `0`, the first run of several zeros as `::`,
 * nothing at all for a lone zero at the end (`1:2:3:4:5:6:7:0` ends in a colon).
 *
 * @see ip6_sprintf in sys/netinet6/in6.c
 */
export function kernelAddressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = viewOf(bytes);
  return printGroups(Array.from({ length: GROUPS }, (_, index) => view.getUint16(2 * index)));
}

// The kernel's loop, step by step, with its look past the end (where it finds the scope: zeros) and its cut at the end.
function printGroups(groups: readonly number[]): string {
  let text = '';
  let run: 'before' | 'inside' | 'after' = 'before';
  for (let index = 0; index < GROUPS; index++) {
    const group = groups[index] ?? 0;
    if (run === 'inside') {
      if (group === 0) {
        if (index === GROUPS - 1) text += ':';
        continue;
      }
      run = 'after';
    }
    if (group !== 0) {
      text += `${group.toString(16).padStart(4, '0')}:`;
    } else if (run === 'before' && (groups[index + 1] ?? 0) === 0) {
      text += index === 0 ? '::' : ':';
      run = 'inside';
    } else {
      text += '0:';
    }
  }
  return text.slice(0, -1);
}

/**
 * An address of `jail.list`, which may be written in ways that nothing else accepts.
 *
 * @returns the canonical form, or null when it is no address
 */
export function parseKernelAddress(text: string): JailAddress | null {
  if (text.length > 45) return null;
  if (!text.includes(':')) return isIPv4(text) ? { address: text, family: 'IPv4' } : null;
  const loneZero = text.endsWith(':') && !text.endsWith('::');
  const address = shortened(text) ?? canonicalAddress(loneZero ? `${text}0` : text);
  return address === null || isIPv4(address) ? null : { address, family: 'IPv6' };
}

// Most addresses of jails have one run of zeros in the middle, which the kernel has found already: they only lose the
// zeros before their groups. Asking for the canonical form takes ten times as long.
function shortened(text: string): string | null {
  const gap = text.indexOf('::');
  const width = text.length - 2;
  // Groups of four digits on both sides, with what separates them, and at most six: fewer zeros make no run.
  if (gap < 4 || (gap + 1) % 5 !== 0 || (width - gap + 1) % 5 !== 0 || width > 28) return null;
  const head = shortGroups(text, 0, gap);
  const tail = shortGroups(text, gap + 2, text.length);
  return head === null || tail === null ? null : `${head}::${tail}`;
}

const ZERO = 0x30;
const COLON = 0x3a;

// null: a group that is all zeros, or something that is no group at all.
function shortGroups(text: string, start: number, end: number): string | null {
  let groups = '';
  for (let at = start; at < end; at += 5) {
    if (at + 4 < end && text.charCodeAt(at + 4) !== COLON) return null;
    let first = at;
    while (first < at + 4 && text.charCodeAt(first) === ZERO) first++;
    if (first === at + 4) return null;
    for (let digit = first; digit < at + 4; digit++) {
      if (!isLowerHex(text.charCodeAt(digit))) return null;
    }
    groups += text.slice(first, Math.min(at + 5, end));
  }
  return groups === '' ? null : groups;
}

function isLowerHex(code: number): boolean {
  return (code >= ZERO && code <= 0x39) || (code >= 0x61 && code <= 0x66);
}
