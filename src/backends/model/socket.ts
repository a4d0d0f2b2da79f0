import type { ConnectionEnd } from './connections.js';
import type { Credential } from './credential.js';
import { type Endpoint, type Family, prisonAddresses } from './network.js';

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
  /** SO_REUSEADDR. Sockets of Node's servers have it. */
  reusesAddress = true;
  /** Of a TCP socket that is connected. */
  connection: ConnectionEnd | null = null;
  /** Connections that wait to be accepted. */
  readonly queue: ConnectionEnd[] = [];
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

  /**
   * Bound to the same by somebody of the same jail, or of the host: address, port and type. The wildcard is another
   * address for sockets with SO_REUSEADDR, and all addresses for others. Jails and the host are in nobody's way:
   * {@link listener} sorts them out.
   */
  conflict(endpoint: Endpoint, { type, credential, reusesAddress }: ModelSocket): boolean {
    const overlaps = reusesAddress ? isSame : isSameOrWild;
    return [...this.#bound].some(
      ({ local, type: other, credential: owner }) =>
        local !== null &&
        other === type &&
        owner.prison === credential.prison &&
        overlaps(local, endpoint),
    );
  }

  /**
   * Who answers at this address: the host where it listens exactly there; a jail that has the address and may override;
   * the host where it listens everywhere; any other jail that has the address. Of IPv6 the kernel takes a listener for
   * one of all addresses whatever it is bound to, since it looks at the wrong address of it: one on ::1 answers at all
   * addresses that the host has, and one of a jail at all that the jail has.
   *
   * @see in_pcblookup_pkthash in sys/netinet/in_pcb.c, in6_pcblookup_hash in sys/netinet6/in6_pcb.c
   */
  listener({ family, address, port }: Endpoint): ModelSocket | undefined {
    const at = [...this.#bound].filter(
      ({ local, listening, credential: { prison } }) =>
        listening &&
        local?.family === family &&
        local.port === port &&
        (local.address === address || isWildcard(local) || family === 'inet6') &&
        (prison === null || prisonAddresses(prison, family).includes(address)),
    );
    const exact = at.filter(({ local }) => local?.address === address);
    const wild = at.filter(({ local }) => local?.address !== address);
    const jailed = [exact.find(isJailed), wild.find(isJailed)];
    const overriding = jailed.find((socket) =>
      socket?.credential.prison?.capabilities.has('listenOverride'),
    );
    const host = (sockets: ModelSocket[]) => sockets.find((socket) => !isJailed(socket));
    return host(exact) ?? overriding ?? host(wild) ?? jailed[0] ?? jailed[1];
  }

  /** Does anybody in a jail listen on a port? */
  listensIn(jid: number, port: number): boolean {
    return [...this.#bound].some(
      ({ listening, local, credential }) =>
        listening && local?.port === port && credential.prison?.jid === jid,
    );
  }

  /** None is left. */
  reboot(): void {
    this.#bound.clear();
  }

  ephemeralPort(): number {
    const port = this.#nextPort;
    this.#nextPort = port >= 5000 ? 1024 : port + 1;
    return port;
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.family === other.family && one.address === other.address && one.port === other.port;
}

function isSameOrWild(one: Endpoint, other: Endpoint): boolean {
  const { family, port } = one;
  if (family !== other.family || port !== other.port) return false;
  return one.address === other.address || isWildcard(one) || isWildcard(other);
}

function isJailed({ credential }: ModelSocket): boolean {
  return credential.prison !== null;
}

function isWildcard({ address }: Endpoint): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** The family of a domain; null for the others. */
export function familyOf(domain: number, families: { inet: number; inet6: number }): Family | null {
  if (domain === families.inet) return 'inet';
  return domain === families.inet6 ? 'inet6' : null;
}
