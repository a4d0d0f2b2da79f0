import { addAbortListener, EventEmitter } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { abortError } from './abort.js';
import type { CommandControl, CommandEvents } from './backends/backend.js';
import { JailSystemError, unsupported } from './errors.js';
import { slotKinds } from './monitor/protocol.js';
import type { ProcessUsage } from './reports.js';
import { signalNumber } from './signals.js';
import { type ResolvedSpawn, resolveTerminalSize } from './spawn-options.js';
import { type CommandStdio, type CommandStream, isGivenAway } from './stdio.js';

/** How a command ended, and what it used. */
export interface ProcessExit {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** Null when it ended by itself. */
  readonly signal: NodeJS.Signals | null;
  /** What it used: ms and bytes. */
  readonly usage: ProcessUsage;
}

/** Events of a {@link JailedProcess}, with what their listeners are given. */
export interface JailedProcessEvents {
  /** It runs; its pids are known. */
  spawn: [];
  /** It has ended; one of the two is null. */
  exit: [exitCode: number | null, signal: NodeJS.Signals | null];
  /** It has ended and its streams are closed. */
  close: [exitCode: number | null, signal: NodeJS.Signals | null];
  /** It could not be run, was aborted, or its monitor was lost. */
  error: [error: Error];
}

/** Settles the promise of a command that has ended, or will never run. */
type Outcome = (resolve: (exit: ProcessExit) => void, reject: (error: Error) => void) => void;

/**
 * A command in a jail: what `child_process.ChildProcess` is to a child, and used in the same way.
 *
 * Events:
 * - `'spawn'` (): it runs; from now on {@link pid} and {@link jailPid} are known.
 * - `'exit'` (exitCode, signal): it has ended; one of the two is null.
 * - `'close'` (exitCode, signal): it has ended and its streams are closed.
 * - `'error'` (error): it could not be run (`JailSystemError` with the step: `ENOENT` at step `exec`, …; `JailError`
 *   `ERR_JAIL_UNKNOWN_USER`, `ERR_JAIL_UNKNOWN_GROUP`, `ERR_JAIL_STOPPED`, …), it was aborted (`ABORT_ERR`), or the
 *   jail's monitor was lost (`ERR_JAIL_MONITOR_LOST`). Without a listener it is thrown, as all `'error'` events are,
 *   unless {@link exited} is in use.
 *
 * A running command keeps the program alive unless it is {@link unref}'d.
 *
 * @see execve(2), wait(2)
 * @example
 * const child = jail.spawn('/bin/ls', ['-l', '/']);
 * child.stdout?.pipe(process.stdout);
 * child.on('exit', (code) => console.log('ended with', code));
 */
export class JailedProcess extends EventEmitter<JailedProcessEvents> {
  // One object, where five functions would take longer to make.
  static readonly #Events = class implements CommandEvents {
    readonly #command: JailedProcess;

    constructor(command: JailedProcess) {
      this.#command = command;
    }

    started(pid: number, jailPid: number): void {
      this.#command.#started(pid, jailPid);
    }

    exited(exit: ProcessExit): void {
      this.#command.#finished(exit);
    }

    failed(error: Error): void {
      this.#command.#failed(error);
    }

    abandoned(error: Error): void {
      this.#command.#abandoned(error);
    }

    signalFailed(error: Error): void {
      this.#command.emit('error', error);
    }
  };

  /** The host's number of the process; undefined until `'spawn'`. */
  pid: number | undefined = undefined;
  /** Its number inside the jail (the same on DragonFly); undefined until `'spawn'`. */
  jailPid: number | undefined = undefined;
  /** Null until it has ended, and when a signal ended it. */
  exitCode: number | null = null;
  /** The signal that ended it. */
  signalCode: NodeJS.Signals | null = null;
  /** Was a signal sent by {@link kill}? It may have ended for another reason, or not at all. */
  killed = false;
  /** The program, as it was given. */
  readonly spawnfile: string;
  /** The arguments, the program as the first. */
  readonly spawnargs: readonly string[];
  /** Made when somebody asks for it. */
  #exited: Promise<ProcessExit> | null = null;
  #outcome: Outcome | null = null;
  #settleExited: ((outcome: Outcome) => void) | null = null;
  readonly #stdio: CommandStdio | null;
  #streams: readonly (CommandStream | null)[] | null = null;
  #control: CommandControl | null = null;
  #over = false;
  #unreferenced = false;
  /** Somebody hears of a failure by the promise. */
  #isAwaited = false;
  #closesLeft = 1;
  #closesAreCounted = false;
  /** Those of its jail. */
  #running: Set<JailedProcess> | null = null;
  /** What has to be undone when it ends: timers and abort listeners. */
  readonly #endings: (() => void)[] = [];

  private constructor(argv: readonly string[], file: string, stdio: CommandStdio | null) {
    super();
    this.spawnfile = file;
    this.spawnargs = argv;
    this.#stdio = stdio;
  }

  /** @internal For `Jail.spawn()` and `Jail.commands()`. */
  static of(argv: readonly string[], file: string, stdio: CommandStdio | null): JailedProcess {
    return new JailedProcess(argv, file, stdio);
  }

  /** Writes to the command's stdin; null unless that is a pipe or a terminal. */
  get stdin(): Writable | null {
    const stream = this.#stdio?.stream(0) ?? null;
    return stream !== null && stream instanceof Writable ? stream : null;
  }

  /** What the command writes to stdout, or shows on its terminal; null unless that is a pipe or a terminal. */
  get stdout(): Readable | null {
    return readable(this.#stdio?.stream(1) ?? null);
  }

  /** What the command writes to stderr; null unless that is a pipe. */
  get stderr(): Readable | null {
    return readable(this.#stdio?.stream(2) ?? null);
  }

  /** All of our ends by slot; those from 3 on go both ways. */
  get stdio(): readonly (CommandStream | null)[] {
    const slots = this.#stdio?.slots ?? [0, 0, 0];
    this.#streams ??= slots.map((_, slot) => this.#stdio?.stream(slot) ?? null);
    return this.#streams;
  }

  /**
   * Settles when the command has ended (its streams may still hold data).
   *
   * Rejects with what `'error'` is told when the command could not be run, with `ERR_JAIL_MONITOR_LOST` when its end
   * will never be known, and with `ERR_JAIL_STOPPED` when the handle was closed meanwhile. Who asks for this promise
   * needs no `'error'` listener for these; an ignored rejection is not reported as unhandled.
   */
  get exited(): Promise<ProcessExit> {
    this.#isAwaited = true;
    this.#exited ??= this.#makeExited();
    return this.#exited;
  }

  /**
   * Sends a signal to the command (not to what it has started: see `Jail.signal()`). Before `'spawn'` it is kept until
   * the command runs.
   *
   * @param signal name or number; 0 only asks whether it is there. Default `SIGTERM`
   * @returns false when the command has ended
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: no such signal
   * @see kill(2)
   * @example child.kill('SIGHUP');
   */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    const number = signalNumber(signal);
    if (this.#over) return false;
    if (number === 0) return true;
    this.#control?.signal(number);
    this.killed = true;
    return true;
  }

  /**
   * Changes the size of the command's terminal; the command is told by SIGWINCH.
   *
   * @param columns 1 to 65,535
   * @param rows    1 to 65,535
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_UNSUPPORTED`: it has no terminal
   * @see tty_ioctl(4), tty(4)
   * @example process.stdout.on('resize', () => child.resize(process.stdout.columns, process.stdout.rows));
   */
  resize(columns: number, rows: number): void {
    const size = resolveTerminalSize(columns, rows);
    const terminal = this.#stdio?.terminal ?? null;
    if (terminal === null) {
      throw unsupported('resize()', 'the command has no terminal', 'spawn it with pty: true');
    }
    terminal.resize(size.columns, size.rows);
  }

  /** Lets the running command keep the program alive, as it does from the start. */
  ref(): this {
    this.#unreferenced = false;
    this.#control?.ref();
    return this;
  }

  /** Lets the program end although the command runs. Its streams are to be unref'd apart, as in child_process. */
  unref(): this {
    this.#unreferenced = true;
    this.#control?.unref();
    return this;
  }

  /** @internal Who is to be told what becomes of it. */
  get events(): CommandEvents {
    return new JailedProcess.#Events(this);
  }

  /** @internal It is on its way, or was running before. */
  begin(control: CommandControl): this {
    this.#control = control;
    if (this.#unreferenced) control.unref();
    return this;
  }

  /** @internal It was running before. Perhaps nobody ever asks for it: then its errors are nobody's. */
  adopt(pid: number, jailPid: number): this {
    this.pid = pid;
    this.jailPid = jailPid;
    this.#isAwaited = true;
    return this;
  }

  /** @internal It is one of these until it ends. */
  join(running: Set<JailedProcess>): this {
    running.add(this);
    this.#running = running;
    return this;
  }

  /** @internal It cannot be started at all. */
  giveUp(error: Error): this {
    process.nextTick(() => this.#failed(error));
    return this;
  }

  /** @internal Ends it by its timeout or AbortSignal. */
  bound({ timeout, signal, killSignal }: ResolvedSpawn): this {
    if (timeout > 0) {
      const timer = setTimeout(() => this.kill(killSignal), timeout);
      this.#endings.push(() => clearTimeout(timer));
    }
    if (signal !== null) {
      const listener = addAbortListener(signal, () => {
        if (this.kill(killSignal)) this.emit('error', abortError(signal));
      });
      this.#endings.push(() => listener[Symbol.dispose]());
    }
    return this;
  }

  #makeExited(): Promise<ProcessExit> {
    const exited = new Promise<ProcessExit>((resolve, reject) => {
      if (this.#outcome !== null) this.#outcome(resolve, reject);
      else this.#settleExited = (outcome) => outcome(resolve, reject);
    });
    exited.catch(() => {});
    return exited;
  }

  #settle(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#settleExited?.(outcome);
  }

  #started(pid: number, jailPid: number): void {
    this.pid = pid;
    this.jailPid = jailPid;
    this.#countCloses();
    this.emit('spawn');
  }

  #finished(exit: ProcessExit): void {
    this.exitCode = exit.exitCode;
    this.signalCode = exit.signal;
    this.#end(() => {
      this.#settle((resolve) => resolve(exit));
      this.emit('exit', this.exitCode, this.signalCode);
    });
  }

  // As a ChildProcess that could not be spawned: its exit code is the error's number.
  #failed(error: Error): void {
    if (error instanceof JailSystemError) this.exitCode = error.errno;
    this.#end(() => {
      this.#settle((_, reject) => reject(error));
      if (!this.#isAwaited || this.listenerCount('error') > 0) this.emit('error', error);
    });
  }

  #abandoned(error: Error): void {
    this.#end(() => this.#settle((_, reject) => reject(error)));
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#countCloses();
    this.#running?.delete(this);
    for (const undo of this.#endings) undo();
    this.stdin?.destroy();
    try {
      tell();
    } finally {
      if (this.#closesLeft > 1) process.nextTick(() => this.#flush());
      this.#maybeClose();
    }
  }

  // What nobody reads would keep the streams, and with them 'close', waiting for ever.
  #flush(): void {
    for (const end of this.stdio) {
      const stream = readable(end);
      if (stream?.readable && !isGivenAway(stream)) stream.resume();
    }
  }

  // Reading begins here, if nobody has asked for the streams before.
  #countCloses(): void {
    if (this.#closesAreCounted) return;
    this.#closesAreCounted = true;
    const { stdio } = this;
    for (let slot = 1; slot < stdio.length; slot++) {
      const stream = stdio[slot] ?? null;
      if (stream === null || stream.closed) continue;
      this.#closesLeft++;
      stream.once('close', () => this.#maybeClose());
    }
  }

  #maybeClose(): void {
    if (--this.#closesLeft === 0) this.emit('close', this.exitCode, this.signalCode);
  }
}

/** Streams in the place of those that could not be made: already destroyed, so that code that uses them still works. */
export function deadStdio(command: ResolvedSpawn): CommandStdio {
  const streams = command.stdio.map((slot) => (slot.kind === 'pipe' ? deadStream() : null));
  const slots = streams.map(() => slotKinds.closed);
  const stream = (slot: number) => streams[slot] ?? null;
  return { stream, terminal: null, slots, passed: [], sent: () => {} };
}

function deadStream(): PassThrough {
  const stream = new PassThrough();
  stream.on('error', () => {}); // a write to it
  return stream.destroy();
}

function readable(stream: CommandStream | null): Readable | null {
  return stream !== null && stream instanceof Readable ? stream : null;
}
