import type { ServerResponse } from 'node:http';
import { watchJails } from 'dragonfly-jail';
import { takeSnapshot } from './snapshot.js';

const INTERVAL = 1000; // ms between two looks at the processes
const RETRY = 2000; // ms after which a browser that has lost the connection tries again

/** Sends what there is to all that follow, as server-sent events: at once, and when it has changed. */
export class JailFeed {
  readonly #followers = new Set<ServerResponse>();
  readonly #behind = new Set<ServerResponse>();
  readonly #end = new AbortController();
  #last = '';
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    void this.#watch();
  }

  /** Has a request followed until its connection is closed. */
  follow(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.write(`retry: ${RETRY}\n\n`);
    response.on('close', () => this.#leave(response));
    response.on('drain', () => {
      if (this.#behind.delete(response)) this.#send(response);
    });
    this.#timer ??= setInterval(() => this.#look(), INTERVAL);
    this.#look();
    this.#send(response);
    this.#followers.add(response);
  }

  /** Ends all connections. */
  close(): void {
    this.#end.abort();
    for (const response of this.#followers) response.end();
  }

  // Jails that come and go are told at once. Processes do so without a word: the timer is for them.
  async #watch(): Promise<void> {
    for await (const _ of watchJails({ signal: this.#end.signal })) {
      if (this.#followers.size > 0) this.#look();
    }
  }

  // Nobody looks, nothing is looked up.
  #leave(response: ServerResponse): void {
    this.#followers.delete(response);
    this.#behind.delete(response);
    if (this.#followers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = JSON.stringify(takeSnapshot());
    if (now === this.#last) return;
    this.#last = now;
    for (const response of this.#followers) this.#send(response);
  }

  // JSON has no line breaks of its own, so it is one line of an event. Who reads slowly is not sent more than that: what
  // is the newest when it has read on.
  #send(response: ServerResponse): void {
    if (response.writableNeedDrain) this.#behind.add(response);
    else response.write(`data: ${this.#last}\n\n`);
  }
}
