import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Native } from '../native.js';
import { failureOf, monitorLost, monitorSilent } from './failure.js';
import { Watchdog } from './patience.js';
import {
  helloFlags,
  type Message,
  MessageSplitter,
  type Messages,
  PROTOCOL_VERSION,
  type RequestName,
  writeMessage,
} from './protocol.js';
import { type Passing, Request, type Settle } from './request.js';
import { SendQueue } from './send-queue.js';
import { protocolError, WireWriter } from './wire.js';

/** What a client tells the connection above it. */
export interface ClientEvents {
  /** Is something expected of the monitor beside the answers to requests? */
  awaited(): boolean;
  /** A message that nobody asked for. */
  message(message: Message): void;
  /** The connection is over: by {@link MonitorClient.close}, by the monitor's end, or by a broken message. */
  ended(cause: Error | null): void;
}

const NOTHING_PASSED: Passing = { passed: [], sent: () => {} };
const MAX_ID = 0xffffffff;

// Of all connections: what has come is taken apart before anything else is read, and what is sent is the kernel's, or
// copied, before anything else is written. Node would make 64 KB for every read.
const INBOX = Buffer.allocUnsafeSlow(64 * 1024);
const OUTBOX = new WireWriter();

// All others are answered before the monitor looks at what comes next.
const TAKES_TIME: ReadonlySet<RequestName> = new Set<RequestName>(['spawn', 'stop']);

/** One connection to a monitor: requests out, their answers back by number, the rest to {@link ClientEvents}. */
export class MonitorClient {
  /** The jail, once it is known: errors name it. */
  jid: number | undefined;
  readonly #socket: Socket;
  readonly #queue: SendQueue;
  readonly #events: ClientEvents;
  readonly #splitter = new MessageSplitter(INBOX, (message) => this.#dispatch(message));
  /** In the order in which they were sent. */
  readonly #pending = new Map<number, Request>();
  readonly #watchdog: Watchdog;
  /** What {@link tell} was given while messages are taken apart. */
  readonly #untold: (() => void)[] = [];
  #isReceiving = false;
  /** As it has told. */
  #monitorPid: number | null = null;
  #helloFlags = 0;
  #lastId = 0;
  #holds = 0;
  #ended = false;

  /**
   * @param native the addon
   * @param fd     a connected socket; it belongs to the client from here on
   * @param events what happens without having been asked for
   * @param patienceMs how long the monitor may be silent while something is expected of it
   */
  constructor(native: Native, fd: number, events: ClientEvents, patienceMs: number) {
    this.#events = events;
    this.#watchdog = new Watchdog(patienceMs, {
      awaited: () => this.#pending.size > 0 || events.awaited(),
      ping: () => this.#greet(this.#helloFlags),
      silent: () => this.#end(monitorSilent(patienceMs, this.#monitorPid)),
    });
    this.#socket = new Socket(this.#socketOptions(fd));
    this.#socket.unref();
    this.#queue = new SendQueue(native, fd, this.#socket);
    this.#socket.on('end', () => this.#end(null));
    this.#socket.on('error', (error: Error) => this.#end(error));
    this.#socket.on('close', () => this.#end(null));
    this.#greet(0);
  }

  /** Is the connection over? */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Sends a request.
   *
   * @param settle  called once, never before this returns unless sending fails at once
   * @param passing descriptors that go along
   * @returns the request's number
   */
  request<K extends RequestName>(
    name: K,
    body: Messages[K],
    settle: Settle,
    passing: Passing = NOTHING_PASSED,
  ): number {
    const id = this.#newId();
    try {
      writeMessage(OUTBOX, name, id, body);
      const request = new Request(id, name, passing, settle, this.#pending);
      this.#queue.send(OUTBOX.bytes, OUTBOX.size, request);
    } finally {
      OUTBOX.clear();
    }
    return id;
  }

  /**
   * As {@link request}, as a promise that keeps the program alive.
   *
   * @param answered is called before anything that came behind the answer is looked at
   */
  ask<K extends RequestName>(
    name: K,
    body: Messages[K],
    answered: (answer: Message) => void,
  ): Promise<Message> {
    const release = this.hold();
    return new Promise<Message>((resolve, reject) => {
      this.request(name, body, (error, answer) => {
        if (answer === null) {
          reject(error);
          return;
        }
        answered(answer);
        resolve(answer);
      });
    }).finally(release);
  }

  /**
   * Calls users' code: when all that was received is taken apart, or else in the next tick; always in the order in which it
   * was given. What it throws is not ours.
   */
  tell(action: () => void): void {
    if (this.#isReceiving || this.#untold.length > 0) this.#untold.push(action);
    else process.nextTick(action);
  }

  /** From now on the monitor tells how long each step has taken: STEPS. */
  wantSteps(): void {
    this.#greet(helloFlags.steps);
  }

  /** Keeps the program alive until the returned function is called (once or more). */
  hold(): () => void {
    if (this.#holds++ === 0) this.#socket.ref();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holds === 0) this.#socket.unref();
    };
  }

  /** Ends the connection. To the monitor of a jail that is not persistent this is the order to end it. */
  close(): void {
    this.#end(null);
  }

  #socketOptions(fd: number): SocketConstructorOpts & ConnectOpts {
    const receive = (size: number) => this.#receive(size);
    return { fd, readable: true, writable: true, onread: { buffer: INBOX, callback: receive } };
  }

  #greet(flags: number): void {
    this.#helloFlags = flags;
    this.request('hello', { version: PROTOCOL_VERSION, flags }, (error, answer) => {
      if (error !== null || answer === null) return;
      if (answer.name === 'welcome' && answer.body.version === PROTOCOL_VERSION) {
        this.#monitorPid = answer.body.monitorPid;
        return;
      }
      this.#end(protocolError('the monitor is of another release'));
    });
  }

  #newId(): number {
    do {
      this.#lastId = this.#lastId >= MAX_ID ? 1 : this.#lastId + 1;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  // True: more may come.
  #receive(size: number): boolean {
    this.#watchdog.heard();
    this.#isReceiving = true;
    try {
      this.#splitter.push(size);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isReceiving = false;
      this.#tellAll();
    }
    return true;
  }

  #tellAll(): void {
    const untold = this.#untold;
    try {
      for (let tell = untold.shift(); tell !== undefined; tell = untold.shift()) tell();
    } finally {
      if (untold.length > 0) process.nextTick(() => this.#tellAll());
    }
  }

  #dispatch(message: Message): void {
    if (this.#ended) return;
    if (message.name === 'welcome') this.#checkOrder(message.id);
    const request = this.#pending.get(message.id);
    if (request === undefined) {
      this.#events.message(message);
    } else if (message.name === 'failed') {
      request.settle(failureOf(message.body, this.jid), null);
    } else {
      request.settle(null, message);
    }
  }

  // A monitor that answers what was asked later, and is well by that, will not answer the earlier any more.
  #checkOrder(id: number): void {
    for (const [earlier, { name }] of this.#pending) {
      if (earlier === id) return;
      if (!TAKES_TIME.has(name)) throw protocolError(`no answer to ${name.toUpperCase()}`);
    }
  }

  #end(cause: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watchdog.end();
    this.#socket.destroy();
    // Only made where somebody waits: an error takes the time of its stack trace.
    const lost = () => monitorLost(cause ?? undefined);
    this.#queue.end(lost);
    for (const request of [...this.#pending.values()]) request.settle(lost(), null);
    this.#events.ended(cause);
  }
}
