import { constants } from 'node:os';
import { abortError } from '../abort.js';
import type {
  CommandDescriptors,
  CommandEvents,
  Connection,
  JailEnd,
  RunningCommand,
  StepSink,
} from '../backends/backend.js';
import { type Capabilities, encodeCapabilities } from '../capabilities.js';
import { type JailError, JailSystemError, unsupported } from '../errors.js';
import { nativeFailure } from '../native.js';
import type { ResolvedSpawn } from '../spawn-options.js';
import { commandBody } from './bodies.js';
import { MonitorClient } from './client.js';
import { MonitorCommand } from './command.js';
import { handleClosed, isSilence, jailStopped, monitorLost } from './failure.js';
import { connectMonitor, type MonitorHost, startMonitor } from './host.js';
import {
  type ExitedBody,
  type Message,
  type Messages,
  type ReadyBody,
  type RunningBody,
  type SpecBody,
  type StepsBody,
  specFlags,
} from './protocol.js';
import { reapMonitor } from './reaper.js';
import { isThere, recoverJail } from './recovery.js';
import { protocolError } from './wire.js';

/** How a connection came about. */
type Kind = 'created' | 'entered' | 'adopted';

const STEP_NAME = /^[a-z-]+$/;
const NS_PER_MS = 1e6;

const KILLED: ExitedBody = {
  command: 0,
  status: constants.signals.SIGKILL,
  userTime: 0n,
  systemTime: 0n,
  maxRss: 0n,
  wallTime: 0n,
};

/** A jail by way of its monitor. */
export class MonitorConnection implements Connection {
  readonly ended: Promise<JailEnd>;
  running: readonly RunningCommand[] = [];
  readonly #host: MonitorHost;
  readonly #kind: Kind;
  /** The monitor, if it is our child. */
  readonly #pid: number | null;
  readonly #client: MonitorClient;
  readonly #commands = new Map<number, MonitorCommand>();
  /** Somebody wants to know what takes how long. */
  #steps: StepSink | null = null;
  #persistent = false;
  #jid = 0;
  #name: string | null = null;
  /** STOPPED or GONE has come. */
  #over = false;
  #closing = false;
  /** Why the connection has ended. */
  #cause: Error | null = null;
  #capabilities: Capabilities | null = null;
  #hold: (() => void) | null = null;
  #settleEnd: (end: JailEnd) => void = () => {};

  /**
   * Makes a jail with a monitor of its own.
   *
   * @param host   where
   * @param spec   what
   * @param signal aborts it; what was made by then is undone before the promise rejects
   * @param steps  is told of each step that was done
   * @throws AbortError; JailError and JailSystemError with the step that failed
   */
  static async create(
    host: MonitorHost,
    spec: SpecBody,
    signal: AbortSignal | null,
    steps: StepSink | null,
  ): Promise<MonitorConnection> {
    if (signal?.aborted) throw abortError(signal);
    const start = performance.now();
    const { pid, fd } = await startMonitor(host);
    steps?.({ step: 'monitor', durationMs: performance.now() - start });
    const connection = new MonitorConnection(host, 'created', fd, pid);
    connection.#tell(steps);
    connection.#name = spec.name === '' ? null : spec.name;
    connection.#persistent = (spec.flags & specFlags.persist) !== 0;
    await connection.#establish('create', spec);
    if (!signal?.aborted) return connection;
    await connection.stop(constants.signals.SIGKILL, 0, null);
    throw abortError(signal);
  }

  /** Enters a running jail with a monitor of its own, which owns nothing. */
  static async enter(
    host: MonitorHost,
    jid: number,
    name: string | null,
  ): Promise<MonitorConnection> {
    const { pid, fd } = await startMonitor(host);
    const connection = new MonitorConnection(host, 'entered', fd, pid);
    connection.#name = name;
    return connection.#attach(jid);
  }

  /** Connects to the monitor of a persistent jail, as one of perhaps several programs. */
  static async adopt(
    host: MonitorHost,
    jid: number,
    name: string | null,
    socket: string,
  ): Promise<MonitorConnection> {
    const fd = connectMonitor(host, socket, jid);
    const connection = new MonitorConnection(host, 'adopted', fd, null);
    connection.#name = name;
    return connection.#attach(jid);
  }

  private constructor(host: MonitorHost, kind: Kind, fd: number, pid: number | null) {
    this.#host = host;
    this.#kind = kind;
    this.#pid = pid;
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
    const events = {
      awaited: () => this.#awaited(),
      message: (message: Message) => this.#hear(message),
      ended: (cause: Error | null) => void this.#finish(cause),
    };
    this.#client = new MonitorClient(host.native, fd, events, host.patienceMs);
  }

  get jid(): number {
    return this.#jid;
  }

  get name(): string | null {
    return this.#name;
  }

  get owned(): boolean {
    return this.#kind === 'created';
  }

  spawn(
    command: ResolvedSpawn,
    descriptors: CommandDescriptors,
    events: CommandEvents,
  ): MonitorCommand {
    const handle = new MonitorCommand(this.#client, events);
    try {
      this.#sendSpawn(handle, command, descriptors);
    } catch (error) {
      descriptors.sent();
      this.#dismiss(handle, tooLong(error, command.file));
    }
    return handle;
  }

  async stop(signal: number, graceMs: number, steps: StepSink | null): Promise<void> {
    const release = this.#client.hold();
    this.#tell(steps);
    try {
      await this.#askToStop(signal, graceMs);
      if ((await this.ended) !== 'gone') throw this.#lost();
    } finally {
      release();
    }
  }

  setCapabilities(capabilities: Readonly<Capabilities>): void {
    if (this.#kind === 'entered') throw notTheMaker();
    const wanted = { ...capabilities };
    this.#capabilities = wanted;
    this.#client.request('capabilities', { bits: encodeCapabilities(wanted) }, () => {
      if (this.#capabilities === wanted) this.#capabilities = null;
    });
  }

  pendingCapabilities(): Capabilities | null {
    return this.#capabilities === null ? null : { ...this.#capabilities };
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#client.close();
    await this.ended;
  }

  ref(): void {
    this.#hold ??= this.#client.hold();
  }

  unref(): void {
    this.#hold?.();
    this.#hold = null;
  }

  // Resolves when the jail is gone or the connection is over, whichever way.
  #askToStop(signal: number, graceMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.request('stop', { signal, graceMs }, (error) => {
        if (error !== null && !this.#client.ended) {
          reject(error);
          return;
        }
        this.#over ||= error === null;
        resolve();
      });
    });
  }

  #lost(): JailError {
    return monitorLost(this.#cause ?? undefined);
  }

  #tell(steps: StepSink | null): void {
    this.#steps = steps;
    if (steps !== null && !this.#client.ended) this.#client.wantSteps();
  }

  async #attach(jid: number): Promise<this> {
    const { stateDir } = this.#host;
    await this.#establish('attach', { stateDir, jid });
    return this;
  }

  async #establish<K extends 'create' | 'attach'>(name: K, body: Messages[K]): Promise<void> {
    try {
      const answer = await this.#client.ask(name, body, (ready) => {
        if (ready.name === 'ready') this.#begin(ready.body); // the end of a command may follow
      });
      if (answer.name !== 'ready') throw protocolError(`${answer.name} instead of READY`);
    } catch (error) {
      // A monitor that could answer has undone everything.
      this.#over = !this.#client.ended;
      await this.close();
      throw error;
    }
  }

  #begin(ready: ReadyBody): void {
    this.#jid = ready.jid;
    this.#client.jid = ready.jid;
    this.running = ready.running.map((body) => this.#adoptCommand(body));
  }

  #adoptCommand(body: RunningBody): RunningCommand {
    const command = new MonitorCommand(this.#client, null);
    command.adopted(body.command);
    this.#commands.set(body.command, command);
    return {
      pid: body.pid,
      jailPid: body.jailPid,
      file: body.file,
      argv: body.argv,
      attach: (events) => {
        command.listen(events);
        return command;
      },
    };
  }

  #sendSpawn(
    handle: MonitorCommand,
    command: ResolvedSpawn,
    descriptors: CommandDescriptors,
  ): void {
    const settle = (error: Error | null, answer: Message | null) => {
      if (answer?.name === 'spawned') this.#started(handle, answer);
      else this.#dismiss(handle, error ?? protocolError('no SPAWNED'));
    };
    const body = commandBody(command, descriptors.slots);
    handle.requested(this.#client.request('spawn', body, settle, descriptors));
  }

  #started(handle: MonitorCommand, answer: Extract<Message, { name: 'spawned' }>): void {
    this.#commands.set(answer.body.command, handle);
    handle.spawned(answer.body);
  }

  #dismiss(handle: MonitorCommand, error: Error): void {
    if (wasKilledOnTheWay(error)) handle.exited(KILLED);
    else if (this.#closing) handle.abandoned(handleClosed(this.#jid));
    else if (this.#over) handle.failed(jailStopped(this.#jid));
    else handle.failed(nativeFailure(error, { step: 'stdio' }));
  }

  #hear(message: Message): void {
    if (message.name === 'exited') {
      const command = this.#commands.get(message.body.command);
      this.#commands.delete(message.body.command);
      command?.exited(message.body);
    } else if (message.name === 'gone' || message.name === 'stopped') {
      this.#over = true;
    } else if (message.name === 'steps') {
      this.#noteSteps(message.body);
    }
  }

  #noteSteps({ steps }: StepsBody): void {
    for (const { step, time } of steps) {
      if (STEP_NAME.test(step)) this.#steps?.({ step, durationMs: Number(time) / NS_PER_MS });
    }
  }

  // Ends of commands, and its own where it has said STOPPED or GONE.
  #awaited(): boolean {
    return this.#commands.size > 0 || this.#over;
  }

  // What was made to stay is not ended because its monitor is of no use to this program.
  #patience(): number | null {
    if (this.#persistent && this.#jid !== 0) return null;
    return isSilence(this.#cause) ? 0 : this.#host.patienceMs;
  }

  async #finish(cause: Error | null): Promise<void> {
    this.#cause = cause;
    this.unref();
    for (const command of this.#commands.values()) {
      if (this.#closing) command.abandoned(handleClosed(this.#jid));
      else command.failed(this.#lost());
    }
    this.#commands.clear();
    if (this.#pid !== null) await reapMonitor(this.#host.native, this.#pid, this.#patience());
    this.#settleEnd(await this.#verdict());
  }

  async #verdict(): Promise<JailEnd> {
    if (this.#over) return 'gone';
    if (this.#closing && this.#kind !== 'created') return 'closed';
    if (this.#kind === 'entered') return isThere(this.#host, this.#jid) ? 'closed' : 'gone';
    // It was this monitor that held the jail, so the jail has ended with it.
    return recoverJail(this.#host, this.#jid);
  }
}

// A signal met it between fork and exec. To who sent that signal it has run and was killed, not failed to run.
function wasKilledOnTheWay(error: Error): boolean {
  return (
    error instanceof JailSystemError &&
    error.code === 'EINTR' &&
    error.step === 'enter' &&
    error.syscall === 'waitid'
  );
}

function notTheMaker(): JailError {
  const reason = 'only the monitor that made a jail can change what it may do';
  const hint = 'change it in the program that made the jail, or make the jail with persist';
  return unsupported('setCapabilities() of this jail', reason, hint);
}

function tooLong(error: unknown, file: string): Error {
  return new JailSystemError({
    errno: constants.errno.E2BIG,
    syscall: 'execve',
    step: 'exec',
    path: file,
    cause: error,
  });
}
