import type { Credential } from './credential.js';
import type { Place } from './place.js';
import type { Pty } from './pty.js';
import type { ModelSocket } from './socket.js';

/** What a descriptor is of. */
export type FileKind = 'directory' | 'file' | 'socket' | 'pipe' | 'terminal' | 'null';

/** An open file, shared by all descriptors that came of one open. It keeps the jail alive in which it was opened. */
export class OpenFile {
  readonly kind: FileKind;
  readonly credential: Credential;
  readonly place: Place | null;
  readonly socket: ModelSocket | null;
  /** Of the two ends of a terminal. */
  readonly master: Pty | null;
  readonly slave: Pty | null;
  /** Anything else that belongs to it: a stream. */
  readonly data: unknown;
  readonly #closed: () => void;
  #references = 0;

  constructor(
    kind: FileKind,
    credential: Credential,
    parts: {
      place?: Place;
      socket?: ModelSocket;
      master?: Pty;
      slave?: Pty;
      data?: unknown;
      closed?: () => void;
    } = {},
  ) {
    this.kind = kind;
    this.credential = credential;
    this.place = parts.place ?? null;
    this.socket = parts.socket ?? null;
    this.master = parts.master ?? null;
    this.slave = parts.slave ?? null;
    this.data = parts.data;
    this.#closed = parts.closed ?? (() => {});
  }

  /** There is one descriptor of it. */
  get isLast(): boolean {
    return this.#references === 1;
  }

  /** One descriptor more. */
  retain(): this {
    if (this.#references++ === 0) this.credential.prison?.hold(this);
    return this;
  }

  /** One less: with the last it is closed. */
  release(): void {
    if (--this.#references > 0) return;
    this.#closed();
    this.credential.prison?.release(this);
  }
}
