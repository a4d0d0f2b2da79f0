import type { Socket } from 'node:net';
import type { Native } from '../native.js';

/** Told when the bytes and descriptors are the kernel's, or why they never will be. */
export type Taken = (error: Error | null) => void;

interface Outgoing {
  readonly bytes: Uint8Array;
  /** How many of them, from the first on. */
  readonly size: number;
  readonly descriptors: readonly number[];
  readonly taken: Taken;
}

const RETRY_MS = 1;

/**
 * Sends messages in order. Ordinarily each is one sendmsg(2) that succeeds at once; when the monitor is behind and the
 * kernel's buffer full, what is left goes through the socket of `node:net`, which knows how to wait, and all later
 * messages wait too.
 */
export class SendQueue {
  readonly #native: Native;
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #waiting: Outgoing[] = [];
  #busy = false;
  #ended: (() => Error) | null = null;

  /**
   * @param native the addon
   * @param fd     the descriptor that `socket` owns
   * @param socket the connection; when it is destroyed, {@link end} must be called in the same turn, since the
   *   number of the descriptor may then soon be somebody else's
   */
  constructor(native: Native, fd: number, socket: Socket) {
    this.#native = native;
    this.#fd = fd;
    this.#socket = socket;
  }

  /**
   * Sends one message.
   *
   * @param bytes       the whole frame, and perhaps something behind it; may be written over afterwards
   * @param size        of the frame
   * @param descriptors to go with its first byte
   * @param taken       called once, perhaps before this returns
   */
  send(bytes: Uint8Array, size: number, descriptors: readonly number[], taken: Taken): void {
    if (this.#ended !== null) {
      taken(this.#ended());
      return;
    }
    const message = { bytes, size, descriptors, taken };
    if (this.#busy || !this.#transmit(message)) this.#keep(message);
  }

  /** Nothing can be sent any more: what waits, and what comes, is given up with such an error. */
  end(makeError: () => Error): void {
    if (this.#ended !== null) return;
    this.#ended = makeError;
    for (const message of this.#waiting.splice(0)) message.taken(makeError());
  }

  // The caller's descriptors may be closed, and their numbers be somebody else's, before it is this message's turn.
  #keep({ bytes, size, descriptors, taken }: Outgoing): void {
    const copies: number[] = [];
    const close = () => {
      for (const fd of copies) this.#native.close(fd);
    };
    try {
      for (const fd of descriptors) copies.push(this.#native.duplicate(fd));
    } catch (error) {
      close();
      taken(asError(error));
      return;
    }
    const sent = (error: Error | null) => {
      close();
      taken(error);
    };
    this.#waiting.push({
      bytes: Buffer.from(bytes.subarray(0, size)),
      size,
      descriptors: copies,
      taken: sent,
    });
  }

  // False: the kernel took nothing of it.
  #transmit({ bytes, size, descriptors, taken }: Outgoing): boolean {
    let sent: number;
    try {
      sent = this.#native.send(this.#fd, bytes, size, descriptors);
    } catch (error) {
      if (isTransient(error)) return this.#retryLater();
      taken(asError(error));
      return true;
    }
    if (sent === 0) return this.#retryLater();
    if (sent < size) this.#writeRest(Buffer.from(bytes.subarray(sent, size)));
    taken(null);
    return true;
  }

  // Descriptors can only go by our own sendmsg(2), and that a socket is writable again is told to writers alone.
  #retryLater(): boolean {
    this.#busy = true;
    setTimeout(() => this.#proceed(), RETRY_MS);
    return false;
  }

  #writeRest(bytes: Uint8Array): void {
    this.#busy = true;
    this.#socket.write(bytes, () => this.#proceed());
  }

  #proceed(): void {
    this.#busy = false;
    if (this.#ended !== null) return;
    while (!this.#busy) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      if (!this.#transmit(message)) this.#waiting.unshift(message);
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

// Too many descriptors of this user are on their way at once: the monitor is about to take them.
function isTransient(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ETOOMANYREFS';
}
