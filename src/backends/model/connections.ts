import type { Credential } from './credential.js';
import type { Endpoint } from './network.js';
import type { Clock } from './process-table.js';
import type { ModelSocket } from './socket.js';

/** States of TCP in which there is somebody at the other end, or was. */
export type ConnectionState =
  | 'ESTABLISHED'
  | 'FIN_WAIT_1'
  | 'FIN_WAIT_2'
  | 'CLOSE_WAIT'
  | 'CLOSING'
  | 'LAST_ACK'
  | 'TIME_WAIT';

/** Twice the longest life of a segment, `net.inet.tcp.msl`. */
const TIME_WAIT_MS = 60_000;
/** `net.inet.tcp.keepintvl` times `keepcnt`: how long nobody's FIN is waited for. */
const FIN_WAIT_2_MS = 8 * 75_000;
/** How long a window that stays closed is asked for. */
const PERSIST_MS = 2 * 60 * 60_000;
/** What the receiving side of a connection takes before somebody reads it. */
const WINDOW = 57_344;
const LONGEST_TIMER_MS = 0x7fffffff;

/**
 * One end of a TCP connection in the kernel. It keeps the jail alive whose socket it was, with or without a process:
 * whoever closes first has it for a while longer.
 *
 * @example
 * const held = kernel.connections.all.filter(({ prison }) => prison?.jid === jail.jid);
 * console.log(held.map(({ state, msLeft }) => `${state} ${msLeft}`)); // TIME_WAIT 60000
 */
export class ConnectionEnd {
  /** Its own address and port. */
  readonly local: Endpoint;
  /** Those of the other end. */
  readonly remote: Endpoint;
  /** @internal Of whoever opened the socket, or the one that it was accepted from. */
  readonly credential: Credential;
  /** Where it is in the life of a connection. */
  state: ConnectionState = 'ESTABLISHED';
  /** Bytes that have come and that nobody has read. */
  received = 0;
  /** Bytes that the other end has no room for. */
  unsent = 0;
  /** @internal Some process still has it open, or may accept it. */
  isOpen = true;
  /** @internal */
  peer: ConnectionEnd | null = null;
  /** @internal By the kernel's clock; null: it does not end by itself. */
  expires: number | null = null;
  readonly #clock: Clock;

  /** @internal */
  constructor(local: Endpoint, remote: Endpoint, credential: Credential, clock: Clock) {
    this.local = local;
    this.remote = remote;
    this.credential = credential;
    this.#clock = clock;
  }

  /** The jail that it keeps alive; null: it is the host’s. */
  get prison(): Credential['prison'] {
    return this.credential.prison;
  }

  /** After how many milliseconds of the kernel’s clock it is gone; null: not by itself. */
  get msLeft(): number | null {
    return this.expires === null ? null : this.expires - this.#clock();
  }
}

/**
 * The ends of TCP connections in the kernel. Whatever is sent arrives at once; what takes its time is how a connection
 * ends, by the kernel's clock.
 *
 * @example
 * kernel.connections.expire(60_000); // a minute later
 * console.log(listJails({ lingering: true }));
 */
export class Connections {
  readonly #ends = new Set<ConnectionEnd>();
  readonly #clock: Clock;
  #ahead = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @internal */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All ends, those of the host included. */
  get all(): readonly ConnectionEnd[] {
    return [...this.#ends];
  }

  /**
   * Ends what has waited long enough.
   *
   * @param ms as if so much time had gone by meanwhile, for connections alone. Default 0
   */
  expire(ms = 0): void {
    this.#ahead += ms;
    for (const end of this.all) {
      if (end.expires !== null && end.expires <= this.#now()) this.#remove(end);
    }
    this.#wakeUp();
  }

  /** @internal A connection is there: its end at who connects, and the other. */
  open(from: ModelSocket, local: Endpoint, to: ModelSocket, remote: Endpoint): ConnectionEnd {
    const clock = () => this.#now();
    const near = new ConnectionEnd(local, remote, from.credential, clock);
    const far = new ConnectionEnd(remote, local, to.credential, clock);
    near.peer = far;
    far.peer = near;
    for (const end of [near, far]) {
      this.#ends.add(end);
      end.credential.prison?.hold(end);
    }
    to.queue.push(far);
    return near;
  }

  /** @internal Sends so many bytes. @returns whether anybody was there to take them */
  send(end: ConnectionEnd, length: number): boolean {
    const { peer } = end;
    if (peer === null) return false;
    if (!peer.isOpen) {
      this.reset(end);
      return false;
    }
    end.unsent += length;
    this.#flush(end);
    return true;
  }

  /** @internal Reads what has come. @returns how much */
  receive(end: ConnectionEnd): number {
    const length = end.received;
    end.received = 0;
    if (end.peer !== null) this.#flush(end.peer);
    return length;
  }

  /** @internal Nobody has it open any more: tcp_usrclosed() in sys/netinet/tcp_usrreq.c. */
  close(end: ConnectionEnd): void {
    if (!this.#ends.has(end) || !end.isOpen) return;
    end.isOpen = false;
    // What still comes is answered by a reset.
    if ((end.peer?.unsent ?? 0) > 0) {
      this.reset(end);
      return;
    }
    if (end.state === 'ESTABLISHED') end.state = 'FIN_WAIT_1';
    else if (end.state === 'CLOSE_WAIT') end.state = 'LAST_ACK';
    end.expires = this.#now() + PERSIST_MS;
    this.#finish(end);
    this.#wakeUp();
  }

  /** @internal Both ends are gone at once. */
  reset(end: ConnectionEnd): void {
    if (end.peer !== null) this.#remove(end.peer);
    this.#remove(end);
  }

  /** @internal None is left. */
  reboot(): void {
    for (const end of this.all) this.#remove(end);
    this.#wakeUp();
  }

  #flush(end: ConnectionEnd): void {
    const { peer } = end;
    if (peer === null) return;
    const taken = Math.min(end.unsent, WINDOW - peer.received);
    end.unsent -= taken;
    peer.received += taken;
    this.#finish(end);
  }

  // The FIN goes out behind everything else.
  #finish(end: ConnectionEnd): void {
    const { peer } = end;
    if (end.isOpen || end.unsent > 0) return;
    if (end.state === 'FIN_WAIT_1') {
      end.state = 'FIN_WAIT_2';
      end.expires = this.#now() + FIN_WAIT_2_MS;
      if (peer?.state === 'ESTABLISHED') peer.state = 'CLOSE_WAIT';
      else if (peer?.state === 'FIN_WAIT_1') peer.state = 'CLOSING';
    } else if (end.state === 'LAST_ACK') {
      if (peer !== null) this.#wait(peer);
      this.#remove(end);
    } else if (end.state === 'CLOSING') {
      if (peer !== null) this.#wait(peer);
      this.#wait(end);
    }
  }

  #wait(end: ConnectionEnd): void {
    end.state = 'TIME_WAIT';
    end.expires = this.#now() + TIME_WAIT_MS;
  }

  #remove(end: ConnectionEnd): void {
    if (!this.#ends.delete(end)) return;
    if (end.peer?.peer === end) end.peer.peer = null;
    end.peer = null;
    end.credential.prison?.release(end);
  }

  #now(): number {
    return this.#clock() + this.#ahead;
  }

  // Whoever waits for the end of a jail is told of it then, where the clock is the time of day.
  #wakeUp(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const times = this.all.flatMap(({ expires }) => (expires === null ? [] : [expires]));
    if (times.length === 0) return;
    const ms = Math.max(0, Math.min(...times) - this.#now());
    this.#timer = setTimeout(() => this.expire(), Math.min(ms + 1, LONGEST_TIMER_MS));
    this.#timer.unref();
  }
}
