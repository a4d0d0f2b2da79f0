import type { Message, RequestName } from './protocol.js';
import type { Sent } from './send-queue.js';

/** Called once with the answer, or with why there is none. Runs inside the socket's event: keep users' code out. */
export type Settle = (error: Error | null, answer: Message | null) => void;

/** Descriptors for a request, and who is to be told when they may be closed. */
export interface Passing {
  readonly passed: readonly number[];
  readonly sent: () => void;
}

/** A request from when it is sent until it is settled; one object for all who hear of it. */
export class Request implements Sent {
  readonly id: number;
  readonly name: RequestName;
  readonly #passing: Passing;
  readonly #settle: Settle;
  readonly #pending: Map<number, Request>;

  /** @param pending those that were not settled yet, by number: it is one of them as long as it is not */
  constructor(
    id: number,
    name: RequestName,
    passing: Passing,
    settle: Settle,
    pending: Map<number, Request>,
  ) {
    this.id = id;
    this.name = name;
    this.#passing = passing;
    this.#settle = settle;
    this.#pending = pending;
    pending.set(id, this);
  }

  get passed(): readonly number[] {
    return this.#passing.passed;
  }

  taken(error: Error | null): void {
    this.#passing.sent();
    if (error !== null && !isGone(error)) this.settle(error, null);
  }

  /** The first time counts. */
  settle(error: Error | null, answer: Message | null): void {
    if (this.#pending.delete(this.id)) this.#settle(error, answer);
  }
}

// The other side has closed: what it said last is still to be read, and then the end of the connection answers.
function isGone(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ENOTCONN';
}
