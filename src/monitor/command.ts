import type { CommandControl, CommandEvents, CommandExit } from '../backends/backend.js';
import { JailSystemError } from '../errors.js';
import { signalName } from '../signals.js';
import type { MonitorClient } from './client.js';
import { type ExitedBody, PENDING_COMMAND, type SpawnedBody } from './protocol.js';

/**
 * One command of a monitor. Listeners never hear of things while a message is being taken apart: what they throw is
 * theirs alone.
 */
export class MonitorCommand implements CommandControl {
  readonly #client: MonitorClient;
  #events: CommandEvents | null;
  /** The number of its SPAWN, by which it is called until the monitor has given it one of its own. */
  #request = 0;
  #id: number | null = null;
  #tellEnd: (() => void) | null = null;
  #over = false;
  #release: () => void;
  #referenced = true;

  /**
   * @param client the connection
   * @param events who is told; null: somebody who comes later, see {@link listen}
   */
  constructor(client: MonitorClient, events: CommandEvents | null) {
    this.#client = client;
    this.#events = events;
    this.#release = events === null ? () => {} : client.hold();
  }

  /** Names the request, for signals that come before the command runs. */
  requested(id: number): void {
    this.#request = id;
  }

  /** It runs. */
  spawned(body: SpawnedBody): void {
    this.#id = body.command;
    this.#tell((events) => events.started(body.pid, body.jailPid));
  }

  /** It ran before this connection was made. */
  adopted(command: number): void {
    this.#id = command;
  }

  /** It has ended. */
  exited(body: ExitedBody): void {
    const exit = decodeExit(body);
    this.#finish((events) => events.exited(exit));
  }

  /** It never ran, or nobody will ever know. */
  failed(error: Error): void {
    this.#finish((events) => events.failed(error));
  }

  /** The connection is closed on purpose. */
  abandoned(error: Error): void {
    this.#finish((events) => events.abandoned(error));
  }

  /** For a command that was adopted: what has happened meanwhile is told now. */
  listen(events: CommandEvents): void {
    this.#events = events;
    if (this.#tellEnd !== null) this.#tellEnd();
    else if (this.#referenced) this.#release = this.#client.hold();
  }

  signal(number: number): void {
    if (this.#over) return;
    const body =
      this.#id === null
        ? { command: this.#request, signal: (number | PENDING_COMMAND) >>> 0 }
        : { command: this.#id, signal: number };
    this.#client.request('signal', body, (error) => {
      if (error === null || this.#over || isGone(error)) return;
      this.#tell((events) => events.signalFailed(error));
    });
  }

  ref(): void {
    if (this.#referenced || this.#over) return;
    this.#referenced = true;
    this.#release = this.#client.hold();
  }

  unref(): void {
    this.#referenced = false;
    this.#release();
  }

  #tell(call: (events: CommandEvents) => void): void {
    this.#client.tell(() => {
      if (this.#events !== null) call(this.#events);
    });
  }

  #finish(call: (events: CommandEvents) => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    if (this.#events === null) this.#tellEnd = () => this.#tell(call);
    else this.#tell(call);
  }
}

// It ended before the signal came: its own end is reported anyway, and so is the connection's.
function isGone(error: Error): boolean {
  return !(error instanceof JailSystemError) || error.code === 'ESRCH';
}

const MICROSECONDS = 1000;

/** No process ends with this one: its end was seen by nobody but a process of the jail that traced it. */
const UNKNOWN = 0x7f;

/** The end of a command by its raw wait status, see wait(2). */
export function decodeExit(body: ExitedBody): CommandExit {
  const number = body.status & 0x7f;
  return {
    exitCode: number === 0 ? (body.status >> 8) & 0xff : null,
    signal: number === 0 || number === UNKNOWN ? null : nameOf(number),
    usage: {
      userTime: Number(body.userTime) / MICROSECONDS,
      systemTime: Number(body.systemTime) / MICROSECONDS,
      maxRss: Number(body.maxRss),
      wallTime: Number(body.wallTime) / MICROSECONDS,
    },
  };
}

function nameOf(signal: number): NodeJS.Signals {
  return signalName(signal) ?? (`SIG${signal}` as NodeJS.Signals);
}
