import type { CommandControl, CommandEvents, CommandExit } from '../backend.js';
import type { KeepAlive } from './keep-alive.js';
import type { ModelProcess } from './model-process.js';
import { kernelSignal, kernelSignalName, systemError } from './translate.js';

interface Listener {
  readonly events: CommandEvents;
  readonly release: () => void;
}

const MS = 1000;

/** A command of a monitor of the model, and everybody who is told of it. */
export class ModelCommand {
  readonly file: string;
  readonly argv: readonly string[];
  readonly process: ModelProcess;
  readonly #monitor: ModelProcess;
  readonly #keepAlive: KeepAlive;
  readonly #listeners = new Set<Listener>();
  readonly #start = performance.now();
  #exit: CommandExit | null = null;

  constructor(
    monitor: ModelProcess,
    process: ModelProcess,
    keepAlive: KeepAlive,
    command: { readonly file: string; readonly argv: readonly string[] },
  ) {
    this.#monitor = monitor;
    this.process = process;
    this.#keepAlive = keepAlive;
    this.file = command.file;
    this.argv = command.argv;
  }

  /** Tells somebody of its end, also when that has been. */
  listen(events: CommandEvents): CommandControl {
    const exit = this.#exit;
    if (exit !== null) {
      process.nextTick(() => events.exited(exit));
      return { signal: () => {}, ref: () => {}, unref: () => {} };
    }
    let listener: Listener = { events, release: this.#keepAlive.hold() };
    this.#listeners.add(listener);
    return {
      signal: (number) => this.#signal(number, events),
      ref: () => {
        if (!this.#listeners.delete(listener)) return;
        listener.release();
        listener = { events, release: this.#keepAlive.hold() };
        this.#listeners.add(listener);
      },
      unref: () => listener.release(),
    };
  }

  /** It has ended. */
  ended(status: number): void {
    if (this.#exit !== null) return;
    const exit = decodeExit(status, this.process, performance.now() - this.#start);
    this.#exit = exit;
    this.#tellAll((events) => events.exited(exit));
  }

  /** Its end will never be known. */
  lose(error: Error): void {
    this.#tellAll((events) => events.failed(error));
  }

  /** Nobody is told of it any more. */
  abandon(error: Error): void {
    this.#tellAll((events) => events.abandoned(error));
  }

  #tellAll(tell: (events: CommandEvents) => void): void {
    for (const { events, release } of this.#listeners) {
      release();
      process.nextTick(() => tell(events));
    }
    this.#listeners.clear();
  }

  #signal(number: number, events: CommandEvents): void {
    if (this.process.hasEnded) return;
    const { pid, jid } = this.process;
    try {
      this.#monitor.kill(pid, kernelSignal(number));
    } catch (error) {
      const failure = systemError(error, { step: 'signal', syscall: 'kill', jid });
      process.nextTick(() => events.signalFailed(failure));
    }
  }
}

function decodeExit(status: number, { entry }: ModelProcess, wallTime: number): CommandExit {
  const signal = status & 0x7f;
  return {
    exitCode: signal === 0 ? (status >> 8) & 0xff : null,
    signal: signal === 0 ? null : kernelSignalName(signal),
    usage: { userTime: entry.cpu / MS, systemTime: 0, maxRss: entry.rss, wallTime },
  };
}
