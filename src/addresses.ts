import { isIPv4, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { invalidType, invalidValue } from './errors.js';
import { assertArray, assertInteger, assertKnownKeys, assertObject } from './validate.js';

/** The family of an address, as `node:net` and `node:os` name it. */
export type AddressFamily = 'IPv4' | 'IPv6';

/** An address of a jail, as listings report it. */
export interface JailAddress {
  /** The address in its canonical form (RFC 5952), without a scope. */
  address: string;
  /** `IPv4` or `IPv6`. */
  family: AddressFamily;
  /** The index of the interface that a link-local IPv6 address belongs to. */
  scopeid?: number;
}

/** An address to give to a jail: as a string (`'fe80::1%em0'` names a scope), or with the scope apart. */
export type JailAddressInput =
  | string
  | {
      address: string;
      /** Optional; when given it must fit the address, so that a {@link JailAddress} can be passed on as it is. */
      family?: AddressFamily;
      /** Of a link-local IPv6 address: the interface's index (0: none) or its name. */
      scopeid?: number | string;
    };

/** A checked address in its canonical form. The scope is still as it was given. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: AddressFamily;
  /** null: none; a string: the name of an interface, see {@link scopeIndex}. */
  readonly scopeid: number | string | null;
}

/** More would be a mistake: each costs the DragonFly kernel an allocation under its jail lock, and a row of its list. */
export const MAX_ADDRESSES = 256;

const MAX_SCOPE = 0xffffffff;
const EXPECTED = 'an IPv4 or IPv6 address';

/**
 * The canonical spelling of an address: RFC 5952, or the dotted quad.
 *
 * @param text the address, without a scope
 * @returns the canonical form, or null when it is no address
 * @example canonicalAddress('2001:DB8:0:0::1') // '2001:db8::1'
 */
export function canonicalAddress(text: string): string | null {
  if (text.includes('%')) return null;
  if (!text.includes(':')) return isIPv4(text) ? text : null;
  // Not isIPv6: its regular expression takes 4 ms of the event loop when it is first used.
  try {
    return new SocketAddress({ address: text, family: 'ipv6' }).address;
  } catch {
    return null;
  }
}

/**
 * Checks one address of a jail.
 *
 * @param value a string, or `{ address, scopeid }`
 * @param name the argument, for messages
 * @returns the address in its canonical form
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveAddress(value: unknown, name: string): ResolvedAddress {
  const parts = splitScope(value, name);
  const address = canonicalAddress(parts.text);
  if (address === null) throw invalidValue(parts.name, EXPECTED, parts.text);
  refuseSpecial(address, parts.name);
  const family = isIPv4(address) ? 'IPv4' : 'IPv6';
  checkFamily(parts.family, family, name);
  return { address, family, scopeid: checkScope(parts.scopeid, address, parts.scopeName) };
}

/**
 * Checks the addresses of a jail; no address may occur twice, however it is spelt.
 *
 * @param value a list of what {@link resolveAddress} takes; undefined is an empty one
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveAddresses(value: unknown, name = 'addresses'): readonly ResolvedAddress[] {
  if (value === undefined) return [];
  assertArray(value, name, 'an array of addresses');
  if (value.length > MAX_ADDRESSES) {
    throw invalidValue(name, `at most ${MAX_ADDRESSES} addresses`, value);
  }
  const seen = new Set<string>();
  return Array.from(value, (item: unknown, index) => {
    const resolved = resolveAddress(item, `${name}[${index}]`);
    // Scopes do not count: the kernel's jail keeps the bare address.
    if (seen.has(resolved.address)) {
      throw invalidValue(`${name}[${index}]`, 'an address that is not in the list yet', item);
    }
    seen.add(resolved.address);
    return resolved;
  });
}

/**
 * The index of an interface of the host that has an IPv6 address, for scopes that were given by name. Other
 * interfaces are not known to Node: see if_nametoindex(3).
 *
 * @param interfaceName as in ifconfig(8): `em0`
 * @returns the index, or null when there is no such interface
 */
export function scopeIndex(interfaceName: string): number | null {
  const interfaces = new Map(Object.entries(networkInterfaces()));
  for (const entry of interfaces.get(interfaceName) ?? []) {
    if (entry.family === 'IPv6' && entry.scopeid !== 0) return entry.scopeid;
  }
  return null;
}

interface AddressParts {
  text: string;
  scopeid: unknown;
  family: unknown;
  name: string;
  scopeName: string;
}

function splitScope(value: unknown, name: string): AddressParts {
  if (typeof value === 'string') return splitText(value, undefined, undefined, name, name);
  if (typeof value !== 'object' || value === null) throw invalidType(name, EXPECTED, value);
  assertObject(value, name, EXPECTED);
  assertKnownKeys(value, ['address', 'family', 'scopeid'], name);
  const { address, family, scopeid } = value;
  if (typeof address !== 'string') throw invalidType(`${name}.address`, EXPECTED, address);
  return splitText(address, scopeid, family, `${name}.address`, `${name}.scopeid`);
}

// 'fe80::1%3' and 'fe80::1%em0' carry their scope with them.
function splitText(
  text: string,
  scopeid: unknown,
  family: unknown,
  name: string,
  scopeName: string,
): AddressParts {
  const at = text.indexOf('%');
  if (at < 0) return { text, scopeid, family, name, scopeName };
  if (scopeid !== undefined) {
    throw invalidValue(name, 'an address without % beside a scopeid', text);
  }
  const scope = text.slice(at + 1);
  const numeric = /^\d{1,10}$/.test(scope) ? Number(scope) : scope;
  return { text: text.slice(0, at), scopeid: numeric, family, name, scopeName: name };
}

function checkFamily(given: unknown, actual: AddressFamily, name: string): void {
  if (given === undefined || given === actual) return;
  throw invalidValue(`${name}.family`, `'${actual}'`, given);
}

function checkScope(scopeid: unknown, address: string, name: string): number | string | null {
  if (scopeid === undefined || scopeid === 0) return null;
  if (typeof scopeid === 'string') {
    assertInterfaceName(scopeid, name);
  } else if (typeof scopeid === 'number') {
    assertInteger(scopeid, name, 0, MAX_SCOPE);
  } else {
    throw invalidType(name, 'the index or the name of an interface', scopeid);
  }
  if (!isLinkLocal(address)) {
    const hint = 'only link-local IPv6 addresses (fe80::/10) have a scope';
    throw invalidValue(name, `no scope with ${address}`, scopeid, hint);
  }
  return scopeid;
}

/** The name of a network interface, by what both kernels accept: up to 15 bytes, no space, no slash. */
export function assertInterfaceName(value: unknown, name: string): asserts value is string {
  const expected = 'the name of a network interface';
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  if (!/^[A-Za-z0-9_.:-]{1,15}$/.test(value) || value === '.' || value === '..') {
    throw invalidValue(name, expected, value);
  }
}

// The first group of fe80::/10 is fe80 to febf; none of them can be cut short in the canonical form.
function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}

function refuseSpecial(address: string, name: string): void {
  if (address === '0.0.0.0' || address === '::') {
    const hint = 'leave addresses out for a jail without a network';
    throw invalidValue(name, 'an address of its own, not the unspecified one', address, hint);
  }
  if (address === '255.255.255.255') {
    throw invalidValue(name, 'a unicast address, not the broadcast one', address);
  }
  if (isMulticast(address)) throw invalidValue(name, 'a unicast address', address);
  if (address.startsWith('::ffff:') && address.includes('.')) {
    const hint = `give the IPv4 address itself: '${address.slice('::ffff:'.length)}'`;
    throw invalidValue(name, 'an address that is not IPv4 mapped into IPv6', address, hint);
  }
}

function isMulticast(address: string): boolean {
  if (isIPv4(address)) {
    const first = Number.parseInt(address, 10);
    return first >= 224 && first <= 239;
  }
  return /^ff[0-9a-f]{2}:/.test(address);
}
