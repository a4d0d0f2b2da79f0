import { type Channel, channel } from 'node:diagnostics_channel';
import { debuglog, inspect } from 'node:util';
import type { CommandEvents, CommandExit, StepSink } from './backends/backend.js';
import type { ProcessExit } from './jailed-process.js';
import type { JailStep } from './reports.js';
import type { ResolvedSpawn } from './spawn-options.js';

/**
 * What is told on the channel `dragonfly-jail:create` when `Jail.create()` has ended, well or not.
 *
 * @example
 * diagnostics_channel.subscribe('dragonfly-jail:create', (message) => {
 *   const { jid, durationMs } = message as JailCreateMessage;
 *   console.log(`jail ${jid}: ${durationMs} ms`);
 * });
 */
export interface JailCreateMessage {
  /** Null: there is no jail. */
  readonly jid: number | null;
  /** The name that was asked for; null: none. */
  readonly name: string | null;
  /** The hostname that was asked for. */
  readonly hostname: string;
  /** The directory on the host that was to be the root. */
  readonly path: string;
  /** ms from the call until it was settled. */
  readonly durationMs: number;
  /** What was done, in order; what failed is not among it. */
  readonly steps: readonly JailStep[];
  /** Why there is no jail; null: there is. */
  readonly error: Error | null;
}

/** What is told on the channel `dragonfly-jail:spawn` when a command runs, or could not be run. */
export interface JailSpawnMessage {
  /** The jail. */
  readonly jid: number;
  /** The host's number; null: it does not run. */
  readonly pid: number | null;
  /** The number inside the jail. */
  readonly jailPid: number | null;
  /** The program, as it was given. */
  readonly file: string;
  /** The arguments, the program as the first. */
  readonly args: readonly string[];
  /** From `spawn()` until it ran. */
  readonly durationMs: number;
  /** Why it could not be run; null: it runs. */
  readonly error: Error | null;
}

/** What is told on the channel `dragonfly-jail:exit` when a command has ended. */
export interface JailExitMessage extends ProcessExit {
  /** The jail. */
  readonly jid: number;
  /** The host’s number; null: it is not known. */
  readonly pid: number | null;
  /** The program, as it was given. */
  readonly file: string;
  /** From its start, as Node heard of it. */
  readonly durationMs: number;
  /** `ERR_JAIL_MONITOR_LOST`: it has ended, nobody knows how. */
  readonly error: Error | null;
}

/** What is told on the channel `dragonfly-jail:stop` when `Jail.stop()` has ended. */
export interface JailStopMessage {
  /** The jail. */
  readonly jid: number;
  /** Its name; null: none. */
  readonly name: string | null;
  /** ms from the call until the jail was gone, or could not be ended. */
  readonly durationMs: number;
  /** What was done, in order: `signal` until nothing ran any more or the time was up, `kill`, and what was taken back. */
  readonly steps: readonly JailStep[];
  /** What could not be ended or taken back; null: it is gone. */
  readonly error: Error | null;
}

const channels = {
  create: channel('dragonfly-jail:create'),
  spawn: channel('dragonfly-jail:spawn'),
  exit: channel('dragonfly-jail:exit'),
  stop: channel('dragonfly-jail:stop'),
};

const debug = debuglog('dragonfly-jail');
const isDebugged = debug.enabled; // NODE_DEBUG is read once, when Node starts
const NO_USAGE = { userTime: 0, systemTime: 0, maxRss: 0, wallTime: 0 };

/**
 * Runs an operation and tells how it ended and how long it took.
 *
 * @param what     the channel
 * @param action   what is done; tells its steps, where somebody listens
 * @param describe what to tell beside time and error; the result is null when it failed
 */
export async function timed<T>(
  what: 'create' | 'stop',
  action: (steps: StepSink | null) => Promise<T>,
  describe: (result: T | null) => object,
): Promise<T> {
  if (!isHeard(channels[what])) return action(null);
  const start = performance.now();
  const steps: JailStep[] = [];
  const about = describe(null);
  const note = (done: JailStep) => {
    steps.push(done);
    if (isDebugged) debugStep(what, about, done);
  };
  try {
    const result = await action(note);
    tell(what, { ...describe(result), durationMs: since(start), steps, error: null });
    return result;
  } catch (error) {
    tell(what, { ...about, durationMs: since(start), steps, error: asError(error) });
    throw error;
  }
}

/** The events of a command, told on the channels too where somebody listens. */
export function observed(
  jid: number,
  command: ResolvedSpawn,
  events: CommandEvents,
): CommandEvents {
  if (!channels.spawn.hasSubscribers && !isHeard(channels.exit)) return events;
  return new ObservedCommand(jid, command, events);
}

class ObservedCommand implements CommandEvents {
  readonly #about: { readonly jid: number; readonly file: string };
  readonly #args: readonly string[];
  readonly #events: CommandEvents;
  #start = performance.now();
  #pid: number | null = null;

  constructor(jid: number, command: ResolvedSpawn, events: CommandEvents) {
    this.#about = { jid, file: command.file };
    this.#args = command.argv;
    this.#events = events;
  }

  started(pid: number, jailPid: number): void {
    this.#tellSpawn({ pid, jailPid, error: null });
    this.#start = performance.now();
    this.#pid = pid;
    this.#events.started(pid, jailPid);
  }

  exited(exit: CommandExit): void {
    this.#tellExit(exit, null);
    this.#events.exited(exit);
  }

  failed(error: Error): void {
    this.#tellFailure(error);
    this.#events.failed(error);
  }

  abandoned(error: Error): void {
    this.#tellFailure(error);
    this.#events.abandoned(error);
  }

  signalFailed(error: Error): void {
    this.#events.signalFailed(error);
  }

  #tellFailure(error: Error): void {
    if (this.#pid === null) this.#tellSpawn({ pid: null, jailPid: null, error });
    else this.#tellExit({ exitCode: null, signal: null, usage: NO_USAGE }, error);
  }

  #tellSpawn(outcome: Pick<JailSpawnMessage, 'pid' | 'jailPid' | 'error'>): void {
    const durationMs = since(this.#start);
    tell('spawn', { ...this.#about, args: this.#args, ...outcome, durationMs });
  }

  #tellExit(exit: CommandExit, error: Error | null): void {
    const durationMs = since(this.#start);
    tell('exit', { ...this.#about, pid: this.#pid, ...exit, durationMs, error });
  }
}

function oneLine(message: object): string {
  const { durationMs: _, steps: __, ...about } = message as { durationMs: number; steps?: object };
  return inspect(about, { breakLength: Number.POSITIVE_INFINITY });
}

function debugStep(what: string, about: object, { step, durationMs }: JailStep): void {
  const { jid, hostname } = about as { jid: number | null; hostname?: string };
  debug('%s of %s, step %s, %s ms', what, jid ?? hostname, step, milliseconds(durationMs));
}

function isHeard(it: Channel): boolean {
  return it.hasSubscribers || isDebugged;
}

function tell<T extends { readonly durationMs: number }>(
  what: keyof typeof channels,
  message: T,
): void {
  if (isDebugged) {
    debug('%s, %s ms: %s', what, milliseconds(message.durationMs), oneLine(message));
  }
  channels[what].publish(message);
}

function milliseconds(durationMs: number): string {
  return durationMs.toFixed(3);
}

function since(start: number): number {
  return performance.now() - start;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
