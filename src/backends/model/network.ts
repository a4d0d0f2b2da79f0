import { addressBytes, addressText } from '../dragonfly/kernel-address.js';
import type { Prison, PrisonAddress } from './prison.js';

/** The two families that jails have. */
export type Family = 'inet' | 'inet6';

/** An address as the calls of sockets see it. */
export interface Endpoint {
  /** `inet` or `inet6`. */
  readonly family: Family;
  /** Canonical text. */
  readonly address: string;
  /** 0 to 65,535; 0: any free one. */
  readonly port: number;
}

/** A network interface of the host. */
export interface ModelInterface {
  /** `lo0`, `em0`, … */
  readonly name: string;
  /** In the order in which they were added. */
  readonly addresses: string[];
}

/** An address that somebody added since the boot. */
interface Alias {
  readonly to: ModelInterface;
  readonly address: string;
}

/**
 * The interfaces of the host.
 *
 * @example
 * kernel.network.add('em0').addresses.push('192.0.2.1');
 * console.log(kernel.network.interfaceOf('192.0.2.1')?.name); // em0
 */
export class Network {
  /** By their names; `lo0` is there from the start. */
  readonly interfaces = new Map<string, ModelInterface>();

  readonly #aliases = new Set<Alias>();

  constructor() {
    this.add('lo0').addresses.push('::1', 'fe80:1::1', '127.0.0.1');
  }

  /**
   * Adds an interface without addresses.
   *
   * @param name `em0`, …
   * @returns the interface; addresses can be pushed
   */
  add(name: string): ModelInterface {
    const added: ModelInterface = { name, addresses: [] };
    this.interfaces.set(name, added);
    return added;
  }

  /**
   * Has the host this address?
   *
   * @param address canonical text
   * @returns whether one of the interfaces has it
   */
  has(address: string): boolean {
    return this.interfaceOf(address) !== undefined;
  }

  /**
   * The interface that has this address.
   *
   * @param address canonical text
   * @returns undefined: none has
   */
  interfaceOf(address: string): ModelInterface | undefined {
    for (const candidate of this.interfaces.values()) {
      if (candidate.addresses.includes(address)) return candidate;
    }
    return undefined;
  }

  /** @internal By SIOCAIFADDR: it is gone after a boot. */
  addAlias(to: ModelInterface, address: string): void {
    to.addresses.push(address);
    this.#aliases.add({ to, address });
  }

  /** @internal What was there at the boot is what there is. */
  reboot(): void {
    for (const { to, address } of this.#aliases) {
      const at = to.addresses.indexOf(address);
      if (at >= 0) to.addresses.splice(at, 1);
    }
    this.#aliases.clear();
  }

  /** All addresses of the host, interface by interface. */
  get addresses(): string[] {
    return [...this.interfaces.values()].flatMap(({ addresses }) => addresses);
  }

  /**
   * Is there a way to it? The model knows its own addresses, and whatever the addresses of its interfaces share a /24
   * with.
   *
   * @param address canonical text
   * @returns whether packets to it leave at all
   */
  reaches(address: string): boolean {
    return this.interfaceTowards(address) !== undefined;
  }

  /**
   * Where packets to it leave.
   *
   * @param address canonical text
   * @returns undefined: there is no way to it
   */
  interfaceTowards(address: string): ModelInterface | undefined {
    return this.interfaceOf(address) ?? this.#neighbour(address);
  }

  #neighbour(address: string): ModelInterface | undefined {
    const prefix = prefixOf(address);
    for (const candidate of this.interfaces.values()) {
      if (candidate.addresses.some((own) => prefixOf(own) === prefix)) return candidate;
    }
    return undefined;
  }
}

function prefixOf(address: string): string {
  const bytes = addressBytes(address);
  return addressText(bytes).includes(':')
    ? Buffer.from(bytes.subarray(0, 8)).toString('hex')
    : address.slice(0, address.lastIndexOf('.'));
}

const ANY = { inet: '0.0.0.0', inet6: '::' } as const;
const LOOPBACK = { inet: '127.0.0.1', inet6: '::1' } as const;

/** The wildcard of a family. */
export function anyAddress(family: Family): string {
  return ANY[family];
}

/** The addresses of a jail of one family, in the kernel's order. */
export function prisonAddresses(prison: Prison, family: Family): string[] {
  return prison.addresses.filter((own) => own.family === family).map(textOf);
}

function textOf(address: PrisonAddress): string {
  return addressText(address.bytes);
}

/** Is it loopback to the jail code? Of IPv6 only ::1 itself is. */
export function isLoopback(address: string, family: Family): boolean {
  return family === 'inet' ? address.startsWith('127.') : address === '::1';
}

/** What stands for 127.0.0.1 or ::1 in a jail: its own loopback address, else its first other one. */
export function prisonLoopback(prison: Prison, family: Family): string | undefined {
  const own = prisonAddresses(prison, family);
  return own.find((address) => isLoopback(address, family)) ?? own[0];
}

/**
 * What an address that a jailed process names really is.
 *
 * @returns null: nothing stands for loopback in this jail
 */
export function replaceLoopback(prison: Prison | null, endpoint: Endpoint): Endpoint | null {
  if (prison === null || endpoint.address !== LOOPBACK[endpoint.family]) return endpoint;
  const address = prisonLoopback(prison, endpoint.family);
  return address === undefined ? null : { ...endpoint, address };
}

/** What a jailed process is told of an address: its own 127/8 address is 127.0.0.1 to it. */
export function showAddress(prison: Prison | null, endpoint: Endpoint): Endpoint {
  if (prison === null || !isLoopback(endpoint.address, endpoint.family)) return endpoint;
  const own = prisonAddresses(prison, endpoint.family);
  if (!own.includes(endpoint.address)) return endpoint;
  return { ...endpoint, address: LOOPBACK[endpoint.family] };
}
