import { addAbortListener } from 'node:events';
import { selectBackend } from './backends/select.js';
import { FolderWatch } from './folder-watch.js';
import type { JailEvent, JailInfo } from './reports.js';
import { assertAbortSignal, assertInteger, assertKnownKeys, assertObject } from './validate.js';

/** Options of {@link watchJails}. */
export interface WatchOptions {
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** How often to look, in ms, 10 to 2,147,483,647. Jails that come and go are mostly noticed sooner. Default 250. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 250;
const MIN_INTERVAL_MS = 10;
const MAX_INTERVAL_MS = 0x7fffffff;
// A jail's folder is made a little before its entry.
const SETTLE_MS = 15;

/**
 * Watches jails come, change and go, by comparing what is there. What is there when it is called is taken as known.
 * Jails of this package are mostly told of even where they only run one command; those of others, and all on a host
 * whose files cannot be watched, only when they live longer than `intervalMs`.
 *
 * The loop keeps the program alive while it waits for the next event. Leaving it, or aborting the signal, ends the
 * watch.
 *
 * @param options when to end and how often to look; {@link WatchOptions}
 * @returns to be used with `for await`, once
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, and what `listJails()` throws: at once, or from
 *   the loop when the list can no longer be read
 * @see jls(8), inotify(7)
 * @example
 * for await (const { type, jail } of watchJails({ signal: AbortSignal.timeout(60_000) })) {
 *   console.log(type, jail.jid, jail.hostname);
 * }
 */
export function watchJails(options: WatchOptions = {}): AsyncIterableIterator<JailEvent> {
  assertObject(options, 'options');
  assertKnownKeys(options, ['signal', 'intervalMs'], 'options', { interval: 'use intervalMs' });
  const { signal, intervalMs = DEFAULT_INTERVAL_MS } = options;
  if (signal !== undefined) assertAbortSignal(signal, 'signal');
  assertInteger(intervalMs, 'intervalMs', MIN_INTERVAL_MS, MAX_INTERVAL_MS);
  return new JailWatch(intervalMs, signal);
}

type Waiting = {
  resolve: (result: IteratorResult<JailEvent, undefined>) => void;
  reject: (error: unknown) => void;
};

const DONE: IteratorResult<JailEvent, undefined> = { done: true, value: undefined };

class JailWatch implements AsyncIterableIterator<JailEvent> {
  #known = snapshot();
  readonly #events: JailEvent[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #folder: FolderWatch | null;
  #now: NodeJS.Immediate | undefined;
  #soon: NodeJS.Timeout | undefined;
  #abort: Disposable | undefined;
  #error: unknown = null;
  #over = false;

  constructor(intervalMs: number, signal: AbortSignal | undefined) {
    this.#timer = setInterval(() => this.#look(), intervalMs).unref();
    const path = selectBackend().watchedDirectory();
    const events = { changed: () => this.#lookSoon(), filled: () => this.#lookNow() };
    this.#folder = path === null ? null : new FolderWatch(path, events);
    if (signal?.aborted) this.#end();
    else if (signal) this.#abort = addAbortListener(signal, () => this.#end());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<JailEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#error !== null) return Promise.reject(this.#takeError());
    if (this.#over) return Promise.resolve(DONE);
    this.#timer.ref();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<JailEvent, undefined>> {
    this.#end();
    this.#events.length = 0;
    return Promise.resolve(DONE);
  }

  #lookNow(): void {
    if (this.#over) return;
    this.#now ??= setImmediate(() => {
      this.#now = undefined;
      this.#look();
    }).unref();
  }

  #lookSoon(): void {
    if (this.#over) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, SETTLE_MS).unref();
  }

  #look(): void {
    try {
      const now = snapshot();
      for (const event of differences(this.#known, now)) this.#tell(event);
      this.#known = now;
      this.#folder?.forget((name) => now.has(Number(name)));
    } catch (error) {
      this.#error = error;
      this.#end();
    }
  }

  #tell(event: JailEvent): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#timer.unref();
    if (waiting === undefined) this.#events.push(event);
    else waiting.resolve({ done: false, value: event });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    clearImmediate(this.#now);
    this.#folder?.close();
    this.#abort?.[Symbol.dispose]();
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#error === null) resolve(DONE);
      else reject(this.#takeError());
    }
  }

  #takeError(): unknown {
    const error = this.#error;
    this.#error = null;
    return error;
  }
}

function snapshot(): Map<number, JailInfo> {
  return new Map(
    selectBackend()
      .list()
      .map((jail) => [jail.jid, jail]),
  );
}

function differences(
  before: ReadonlyMap<number, JailInfo>,
  after: ReadonlyMap<number, JailInfo>,
): JailEvent[] {
  const events: JailEvent[] = [];
  for (const [jid, jail] of before) if (!after.has(jid)) events.push({ type: 'removed', jail });
  for (const [jid, jail] of after) {
    const known = before.get(jid);
    if (known === undefined) events.push({ type: 'created', jail });
    else if (JSON.stringify(known) !== JSON.stringify(jail)) events.push({ type: 'changed', jail });
  }
  return events;
}
