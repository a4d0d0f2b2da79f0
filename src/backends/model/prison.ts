import type { CapabilityName } from '../../capabilities.js';
import { kernelAddressText } from '../dragonfly/kernel-address.js';
import { type Place, pathOf } from './place.js';

/** An address of a jail as the kernel keeps it; `bytes` is null for a family that it does not know. */
export interface PrisonAddress {
  readonly family: 'inet' | 'inet6' | 'other';
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

/** A jail. It lives as long as anything holds it: processes, zombies, sockets, files, mounts. */
export class Prison {
  readonly jid: number;
  readonly root: Place;
  hostname: string;
  readonly addresses: readonly PrisonAddress[];
  readonly capabilities: Set<CapabilityName>;
  readonly #holders = new Set<object>();
  readonly #gone: (prison: Prison) => void;

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

  /** Something of the jail is there: it cannot go. */
  hold(holder: object): void {
    this.#holders.add(holder);
  }

  /** One thing less; with the last the jail is gone. */
  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#gone(this);
  }

  /** Its row of `jail.list`: without addresses; null when its root cannot be named by the viewer. */
  row(viewerRoot: Place): string | null {
    const path = pathOf(this.root, viewerRoot);
    return path === null ? null : `${this.jid} ${this.hostname} ${path}`;
  }
}

/** An address as `jail.list` has it. */
export function prisonAddressText(address: PrisonAddress): string {
  return address.family === 'other' ? '?family?' : kernelAddressText(address.bytes);
}
