import type { Socket } from 'node:net';
import type { Native } from '../native.js';

/** A message that is sent, to its sender. */
export interface Sent {
  /** To go with its first byte. */
  readonly passed: readonly number[];
  /** Called once: bytes and descriptors are the kernel's, or this is why they never will be. */
  taken(error: Error | null): void;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly message: Sent;
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
  readonly #waiting: Waiting[] = [];
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
   * @param bytes   the whole frame, and perhaps something behind it; may be written over afterwards
   * @param size    of the frame
   * @param message what goes along; its `taken` is perhaps called before this returns
   */
  send(bytes: Uint8Array, size: number, message: Sent): void {
    if (this.#ended !== null) {
      message.taken(this.#ended());
      return;
    }
    if (this.#busy || !this.#transmit(bytes, size, message)) this.#keep(bytes, size, message);
  }

  /** Nothing can be sent any more: what waits, and what comes, is given up with such an error. */
  end(makeError: () => Error): void {
    if (this.#ended !== null) return;
    this.#ended = makeError;
    for (const { message } of this.#waiting.splice(0)) message.taken(makeError());
  }

  // The caller's descriptors may be closed, and their numbers be somebody else's, before it is this message's turn.
  #keep(bytes: Uint8Array, size: number, message: Sent): void {
    const copies: number[] = [];
    const close = () => {
      for (const fd of copies) this.#native.close(fd);
    };
    try {
      for (const fd of message.passed) copies.push(this.#native.duplicate(fd));
    } catch (error) {
      close();
      message.taken(asError(error));
      return;
    }
    const taken = (error: Error | null) => {
      close();
      message.taken(error);
    };
    const copied = Buffer.from(bytes.subarray(0, size));
    this.#waiting.push({ bytes: copied, message: { passed: copies, taken } });
  }

  // False: the kernel took nothing of it.
  #transmit(bytes: Uint8Array, size: number, message: Sent): boolean {
    let sent: number;
    try {
      sent = this.#native.send(this.#fd, bytes, size, message.passed);
    } catch (error) {
      if (isTransient(error)) return this.#retryLater();
      message.taken(asError(error));
      return true;
    }
    if (sent === 0) return this.#retryLater();
    if (sent < size) this.#writeRest(Buffer.from(bytes.subarray(sent, size)));
    message.taken(null);
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
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (!this.#transmit(next.bytes, next.bytes.length, next.message)) this.#waiting.unshift(next);
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
