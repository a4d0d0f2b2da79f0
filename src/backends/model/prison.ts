import type { CapabilityName } from '../../capabilities.js';
import { kernelAddressText } from '../dragonfly/kernel-address.js';
import { type Place, pathOf } from './place.js';

/** An address of a jail as the kernel keeps it; `bytes` is null for a family that it does not know. */
export interface PrisonAddress {
  /** `other`: one that the kernel does not know. */
  readonly family: 'inet' | 'inet6' | 'other';
  /** 4 or 16, in network order; empty for `other`. */
  readonly bytes: Uint8Array;
}

/** What a jail consists of in the kernel. */
export interface PrisonParts {
  readonly jid: number;
  readonly root: Place;
  readonly hostname: string;
  /** In the kernel's order, the reverse of what jail(2) was given. */
  readonly addresses: readonly PrisonAddress[];
  readonly capabilities: ReadonlySet<CapabilityName>;
}

/**
 * A jail. It lives as long as anything holds it: processes, zombies, sockets, files, mounts.
 *
 * @see `struct prison`, sys/kern/kern_jail.c
 * @example
 * const [newest] = kernel.jails;
 * console.log(newest?.jid, newest?.hostname, newest?.capabilities.has('rawSockets'));
 */
export class Prison {
  /** 1 to 999,998. */
  readonly jid: number;
  /** Its root directory. */
  readonly root: Place;
  /** As it is now; its root may change it. */
  hostname: string;
  /** In the kernel’s order, the reverse of what jail(2) was given. */
  readonly addresses: readonly PrisonAddress[];
  /** Those that are on. */
  readonly capabilities: Set<CapabilityName>;
  readonly #holders = new Set<object>();
  readonly #gone: (prison: Prison) => void;

  /**
   * Made by jail(2) of a process.
   *
   * @param parts what it consists of
   * @param gone called when nothing holds it any more
   */
  constructor(parts: PrisonParts, gone: (prison: Prison) => void) {
    this.jid = parts.jid;
    this.root = parts.root;
    this.hostname = parts.hostname;
    this.addresses = parts.addresses;
    this.capabilities = new Set(parts.capabilities);
    this.#gone = gone;
  }

  /** What holds it. */
  get holders(): ReadonlySet<object> {
    return this.#holders;
  }

  /**
   * Something of the jail is there: it cannot go.
   *
   * @param holder a process, a file, a mount
   */
  hold(holder: object): void {
    this.#holders.add(holder);
  }

  /**
   * One thing less; with the last the jail is gone.
   *
   * @param holder as given to {@link hold}
   */
  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#gone(this);
  }

  /**
   * Its row of `jail.list`: without addresses; null when its root cannot be named by the viewer.
   *
   * @param viewerRoot the root directory of who asks
   * @returns `jid hostname path`; null: not to be seen
   */
  row(viewerRoot: Place): string | null {
    const path = pathOf(this.root, viewerRoot);
    return path === null ? null : `${this.jid} ${this.hostname} ${path}`;
  }
}

/** An address as `jail.list` has it. */
export function prisonAddressText(address: PrisonAddress): string {
  return address.family === 'other' ? '?family?' : kernelAddressText(address.bytes);
}
