import type { Credential } from './credential.js';
import type { Endpoint, Family } from './network.js';

/** What a connection is between. */
export interface Peer {
  readonly socket: ModelSocket;
}

/** A socket. */
export class ModelSocket {
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  /** Whose it is: of whoever made it, for good. */
  readonly credential: Credential;
  local: Endpoint | null = null;
  remote: Endpoint | null = null;
  listening = false;
  /** A refused connection takes the protocol's part of the socket away. */
  broken = false;
  /** Of UNIX sockets. */
  path: string | null = null;

  constructor(domain: number, type: number, protocol: number, credential: Credential) {
    this.domain = domain;
    this.type = type;
    this.protocol = protocol;
    this.credential = credential;
  }
}

/** `SOCK_…`. */
export const socketTypes = { stream: 1, datagram: 2, raw: 3, seqpacket: 5 } as const;

/** All sockets that are bound, to be found by those who connect. */
export class SocketTable {
  readonly #bound = new Set<ModelSocket>();
  #nextPort = 1024;

  add(socket: ModelSocket): void {
    this.#bound.add(socket);
  }

  remove(socket: ModelSocket): void {
    this.#bound.delete(socket);
  }

  /** Bound to the same: address, port and type. The wildcard is another address. */
  conflict(endpoint: Endpoint, type: number, credential: Credential): boolean {
    for (const { local, type: other, credential: owner } of this.#bound) {
      if (local === null || other !== type || local.port !== endpoint.port) continue;
      if (local.family !== endpoint.family || local.address !== endpoint.address) continue;
      // The wildcard of a jail and that of the host are apart.
      if (owner.prison === credential.prison || !isWildcard(local)) return true;
    }
    return false;
  }

  /** Who answers at this address: first whoever listens there, then whoever listens everywhere. */
  listener({ family, address, port }: Endpoint): ModelSocket | undefined {
    const candidates = [...this.#bound].filter(
      ({ local, listening }) => listening && local?.family === family && local.port === port,
    );
    const exact = candidates.find(({ local }) => local?.address === address);
    return exact ?? candidates.find(({ local }) => local !== null && isWildcard(local));
  }

  /** Does anybody in a jail listen on a port? */
  listensIn(jid: number, port: number): boolean {
    return [...this.#bound].some(
      ({ listening, local, credential }) =>
        listening && local?.port === port && credential.prison?.jid === jid,
    );
  }

  ephemeralPort(): number {
    const port = this.#nextPort;
    this.#nextPort = port >= 5000 ? 1024 : port + 1;
    return port;
  }
}

function isWildcard({ address }: Endpoint): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** The family of a domain; null for the others. */
export function familyOf(domain: number, families: { inet: number; inet6: number }): Family | null {
  if (domain === families.inet) return 'inet';
  return domain === families.inet6 ? 'inet6' : null;
}
