import { isIPv4 } from 'node:net';
import { invalidValue } from '../../errors.js';
import { viewOf, writeInteger } from './bytes.js';
import { addressBytes, packSockaddr } from './kernel-address.js';
import type { KernelLayout } from './layout.js';

/** What jail(2) is given. */
export interface JailArguments {
  readonly path: string;
  readonly hostname: string;
  /** In the order of the API: the first of each family is to be the primary one. */
  readonly addresses: readonly string[];
}

/** `struct jail` with everything that it points to, as one piece of memory. */
export interface JailImage {
  /** The structure is at the start. */
  readonly bytes: Uint8Array;
  /** Where the pointers in it are, in bytes from the start. Null pointers are not among them. */
  readonly pointers: readonly number[];
  /** The size of the structure alone. */
  readonly structSize: number;
}

/**
 * The addresses in the order in which jail(2) has to get them. The kernel puts each one at the head of its list, and
 * the first of its list is the primary one: so they are handed over last first.
 */
export function toKernelOrder<T>(addresses: readonly T[]): T[] {
  return [...addresses].reverse();
}

/**
 * `struct jail`, version 1, as jail(2) of DragonFly 1.7 and later takes it.
 *
 * @param spec   paths without NUL bytes
 * @param layout of the kernel that gets it
 * @param base   the address at which the bytes will lie; pointers are absolute
 * @throws JailError `ERR_INVALID_ARG_VALUE`: a NUL byte, or no address
 * @see jail(2), sys/jail.h
 */
export function packJail(spec: JailArguments, layout: KernelLayout, base = 0n): JailImage {
  const { size, fields } = layout.structs.jail;
  const sockaddrs = toKernelOrder(spec.addresses).map((text) => packSockaddr(text, layout));
  const image = new ImageBuilder(size, base);
  image.write(fields.version, 1);
  image.point(fields.path, cString(spec.path, 'path'));
  image.point(fields.hostname, cString(spec.hostname, 'hostname'));
  image.write(fields.n_ips, sockaddrs.length);
  if (sockaddrs.length > 0) image.point(fields.ips, Buffer.concat(sockaddrs));
  return image.finish();
}

/**
 * `struct jail_v0`: one IPv4 address, in the byte order of the host (the kernel converts it).
 *
 * @param spec   with exactly one address, an IPv4 one
 * @throws JailError `ERR_INVALID_ARG_VALUE`
 */
export function packJailV0(spec: JailArguments, layout: KernelLayout, base = 0n): JailImage {
  const { size, fields } = layout.structs.jailV0;
  const [address, ...others] = spec.addresses;
  if (address === undefined || others.length > 0 || !isIPv4(address)) {
    throw invalidValue('addresses', 'one IPv4 address', spec.addresses);
  }
  const image = new ImageBuilder(size, base);
  image.write(fields.version, 0);
  image.point(fields.path, cString(spec.path, 'path'));
  image.point(fields.hostname, cString(spec.hostname, 'hostname'));
  image.write(fields.ip_number, viewOf(addressBytes(address)).getUint32(0));
  return image.finish();
}

function cString(text: string, name: string): Uint8Array {
  if (text.includes('\0')) throw invalidValue(name, 'a string without null bytes', text);
  return Buffer.from(`${text}\0`);
}

const ALIGNMENT = 8;

class ImageBuilder {
  readonly #structSize: number;
  readonly #base: bigint;
  readonly #struct: Uint8Array;
  readonly #view: DataView;
  readonly #parts: Uint8Array[] = [];
  readonly #pointers: number[] = [];
  #end: number;

  constructor(structSize: number, base: bigint) {
    this.#structSize = structSize;
    this.#base = base;
    this.#struct = new Uint8Array(structSize);
    this.#view = viewOf(this.#struct);
    this.#end = structSize;
  }

  write(place: readonly [number, number], value: number): void {
    writeInteger(this.#view, 0, place, value);
  }

  point(place: readonly [number, number], bytes: Uint8Array): void {
    writeInteger(this.#view, 0, place, this.#base + BigInt(this.#end));
    this.#pointers.push(place[0]);
    const padded = new Uint8Array(Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT);
    padded.set(bytes);
    this.#parts.push(padded);
    this.#end += padded.length;
  }

  finish(): JailImage {
    const bytes = Buffer.concat([this.#struct, ...this.#parts]);
    return { bytes, pointers: this.#pointers, structSize: this.#structSize };
  }
}
