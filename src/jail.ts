import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { abortError } from './abort.js';
import type { Backend, Connection, JailEnd, StepSink } from './backends/backend.js';
import { selectBackend } from './backends/select.js';
import { type Capabilities, resolveCapabilities } from './capabilities.js';
import { observed, timed } from './diagnostics.js';
import { invalidType, invalidValue, JailError } from './errors.js';
import { type ExecResult, execute } from './exec.js';
import { existsInside } from './inside-file.js';
import { deadStdio, JailedProcess } from './jailed-process.js';
import { type Looked, listensInside } from './listening.js';
import { handleClosed, jailStopped } from './monitor/failure.js';
import { loadNative } from './native.js';
import { sumUsage } from './processes.js';
import type { AttachReport, JailInfo, JailUsage, PlanStep, ProcessInfo } from './reports.js';
import { signalNumber } from './signals.js';
import {
  type ExecOptions,
  type ResolvedSpawn,
  resolveExec,
  resolveSpawn,
  type SpawnOptions,
} from './spawn-options.js';
import { type JailSpec, type ResolvedSpec, resolveSpec } from './spec.js';
import { type CommandStdio, openStdio } from './stdio.js';
import { type ResolvedStop, resolveStop, type StopOptions } from './stop-options.js';
import {
  assertAbortSignal,
  assertAbsolutePath,
  assertInteger,
  assertKnownKeys,
  assertObject,
} from './validate.js';

/** Options of `Jail.create()`. */
export interface CreateOptions {
  /** Aborts it: what was made by then is undone before the promise rejects. */
  signal?: AbortSignal;
}

/** Events of a {@link Jail}. */
export interface JailEvents {
  /** The jail is gone, however it ended. */
  exit: [];
}

const MAX_ID = 2 ** 31 - 1; // of a call that asks; the kernel gives out less

/**
 * A running jail. Made by {@link Jail.create} or found by {@link Jail.open}; what it tells is read from the kernel
 * each time, so several programs can hold handles of one jail.
 *
 * A handle keeps the program alive, as an open socket does, until the jail is stopped or the handle is
 * {@link unref}'d. A jail that was created without `persist` ends with the program, whichever way that ends.
 *
 * Events: `'exit'` (): once, when the jail is gone, whether it was stopped here, by another program, or lost with its
 * monitor.
 *
 * @see jail(2), jail(8); namespaces(7) on Linux
 * @example
 * await using jail = await Jail.create({ path: '/var/jails/www', hostname: 'www', addresses: ['10.0.0.7'] });
 * const { stdout } = await jail.exec('/bin/hostname');
 */
export class Jail extends EventEmitter<JailEvents> implements AsyncDisposable {
  readonly #backend: Backend;
  readonly #connection: Connection;
  readonly #commands = new Set<JailedProcess>();
  /** Settles after 'exit' was told. */
  readonly #ended: Promise<JailEnd>;
  #end: JailEnd | null = null;
  #stopping: Promise<void> | null = null;

  private constructor(backend: Backend, connection: Connection) {
    super();
    this.#backend = backend;
    this.#connection = connection;
    this.#ended = connection.ended.then((end) => this.#finish(end));
    for (const running of connection.running) {
      const command = JailedProcess.of(running.argv, running.file, null);
      command.adopt(running.pid, running.jailPid).begin(running.attach(command.events));
      command.join(this.#commands);
    }
    this.ref();
  }

  /**
   * Makes a jail and waits until commands can be run in it.
   *
   * @param spec    what it is to be; {@link JailSpec}
   * @param options `signal` to abort it
   * @returns a handle that owns the jail
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_UNSUPPORTED`: this kernel cannot do
   *   what the spec asks for; `ERR_JAIL_EXISTS`: the name is in use; `ERR_JAIL_ADDRESS_IN_USE`: the host has the
   *   address; `ERR_JAIL_LIMIT`: too many jails; `ERR_JAIL_NATIVE`, `ERR_JAIL_MONITOR_LOST`
   * @throws JailSystemError with the step of {@link Jail.plan} that failed: `ENOENT` or `ENOTDIR` at step `root`, …
   * @throws AbortError `ABORT_ERR`
   *   Whatever it throws, nothing of the jail is left.
   * @see jail(2)
   * @example
   * const jail = await Jail.create({
   *   path: '/var/jails/www',
   *   hostname: 'www.example.org',
   *   addresses: ['10.0.0.7', 'fd00::7'],
   * });
   */
  static async create(spec: JailSpec, options: CreateOptions = {}): Promise<Jail> {
    const { backend, resolved } = understand(spec);
    assertObject(options, 'options');
    assertKnownKeys(options, ['signal'], 'options');
    const { signal } = options;
    if (signal !== undefined) assertAbortSignal(signal, 'signal');
    if (signal?.aborted) throw abortError(signal);
    const connection = await timed(
      'create',
      (steps) => backend.create(resolved, signal ?? null, steps),
      (made) => aboutCreation(resolved, made),
    );
    return new Jail(backend, connection);
  }

  /**
   * Tells what {@link Jail.create} would do, without doing any of it. Needs no privileges.
   *
   * @param spec as for {@link Jail.create}
   * @returns the steps in order, by the names that errors carry, each with its undoing
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_UNSUPPORTED`
   * @see jail(8)
   * @example for (const { step, description } of Jail.plan(spec)) console.log(`${step}: ${description}`);
   */
  static plan(spec: JailSpec): readonly PlanStep[] {
    const { backend, resolved } = understand(spec);
    return backend.plan(resolved);
  }

  /**
   * Opens a running jail, whoever made it. Of a persistent jail of this package, {@link commands} then has the
   * commands that run in it.
   *
   * @param id a jid (1 to 999,998) or a name; never a hostname, which can be forged from inside
   * @returns a handle that does not own the jail: disposing of it leaves the jail running. The commands that it
   *   spawns in a jail that is not persistent end with it.
   * @throws JailError `ERR_JAIL_NOT_FOUND`; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_NATIVE`,
   *   `ERR_JAIL_MONITOR_LOST`
   * @throws JailSystemError `EPERM`, `EACCES`: it is somebody else's
   * @see jail_attach(2); setns(2) on Linux
   * @example const jail = await Jail.open('www');
   */
  static async open(id: number | string): Promise<Jail> {
    const checked = checkId(id);
    const backend = selectBackend();
    return new Jail(backend, await backend.open(checked));
  }

  /** The jail's number, 1 to 999,998. */
  get jid(): number {
    return this.#connection.jid;
  }

  /** The jail's name; null: it has none. */
  get name(): string | null {
    return this.#connection.name;
  }

  /** Made by this handle: disposing of the handle stops it. */
  get owned(): boolean {
    return this.#connection.owned;
  }

  /**
   * What the jail is now, read from the kernel and the registry.
   *
   * @returns a snapshot
   * @throws JailError `ERR_JAIL_NOT_FOUND`: it is gone
   * @see jls(8)
   * @example console.log(jail.info().hostname);
   */
  info(): JailInfo {
    const info = this.#end === 'gone' ? null : this.#backend.find(this.jid);
    if (info === null) throw this.#notFound();
    return info;
  }

  /**
   * Runs a command in the jail, as `child_process.spawn` does. Returns at once: that it could not be run (no such
   * program, no such user, …) is told by its `'error'` event.
   *
   * @param file    the program inside the jail; without a slash it is looked for along PATH
   * @param args    its arguments; can be left out
   * @param options see {@link SpawnOptions}
   * @returns the command, which is about to run
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_UNSUPPORTED`; `ERR_JAIL_STOPPED`:
   *   the jail is stopped, or this handle is closed
   * @see jexec(8), execve(2)
   * @example const shell = jail.spawn('sh', ['-c', 'echo $0'], { user: 'www', env: { LANG: 'C' } });
   * shell.stdout?.pipe(process.stdout);
   */
  spawn(file: string, args?: readonly string[], options?: SpawnOptions): JailedProcess;
  spawn(file: string, options?: SpawnOptions): JailedProcess;
  spawn(
    file: string,
    args?: readonly string[] | SpawnOptions,
    options?: SpawnOptions,
  ): JailedProcess {
    const command = resolveSpawn(file, args, options);
    this.#assertLive();
    return this.#launch(command);
  }

  /**
   * Runs a command to its end and collects what it writes. An exit code other than 0 is a result, not an error.
   *
   * @param file    as for {@link spawn}
   * @param args    its arguments; can be left out
   * @param options see {@link ExecOptions}. Without `input`, stdin is /dev/null
   * @returns what it wrote and how it ended; `timedOut` says that `timeout` (ms) ended it
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_UNSUPPORTED`, `ERR_JAIL_STOPPED`,
   *   `ERR_JAIL_UNKNOWN_USER`, `ERR_JAIL_UNKNOWN_GROUP`, `ERR_JAIL_MONITOR_LOST`;
   *   `ERR_CHILD_PROCESS_STDIO_MAXBUFFER`: it wrote more than `maxBuffer`, and was killed
   * @throws JailSystemError the step that failed: `ENOENT` at step `exec`, …
   * @throws AbortError `ABORT_ERR`
   * @see jexec(8)
   * @example
   * const { stdout, exitCode } = await jail.exec('wc', ['-c'], { input: 'some text' });
   */
  exec(
    file: string,
    args?: readonly string[],
    options?: ExecOptions & { encoding?: BufferEncoding },
  ): Promise<ExecResult<string>>;
  exec(
    file: string,
    args: readonly string[] | undefined,
    options: ExecOptions & { encoding: 'buffer' },
  ): Promise<ExecResult<Buffer>>;
  exec(file: string, args?: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  exec(
    file: string,
    options: ExecOptions & { encoding?: BufferEncoding },
  ): Promise<ExecResult<string>>;
  exec(file: string, options: ExecOptions & { encoding: 'buffer' }): Promise<ExecResult<Buffer>>;
  exec(file: string, options: ExecOptions): Promise<ExecResult>;
  async exec(
    file: string,
    args?: readonly string[] | ExecOptions,
    options?: ExecOptions,
  ): Promise<ExecResult> {
    const command = resolveExec(file, args, options);
    this.#assertLive();
    return execute(command, (spawned) => this.#launch(spawned));
  }

  /**
   * The processes in the jail, its own bookkeeping left out. Only they are looked at, not the whole host.
   *
   * @returns none when the jail is empty or gone
   * @throws JailSystemError when they cannot be read
   * @see ps(1), proc(5)
   * @example console.log(jail.processes().map(({ pid, command }) => `${pid} ${command}`));
   */
  processes(): ProcessInfo[] {
    return this.#end === 'gone' ? [] : this.#backend.jailProcesses(this.jid);
  }

  /**
   * The commands that this handle has spawned or adopted and that still run. An adopted one, of a persistent jail,
   * has no streams; it can be killed, and its end is told as that of any other.
   *
   * @returns a fresh array, in the order in which they were started
   * @example await Promise.all(jail.commands().map(({ exited }) => exited));
   */
  commands(): JailedProcess[] {
    return [...this.#commands].filter(isRunning);
  }

  /**
   * What the living processes of the jail use together.
   *
   * @returns bytes and ms; {@link JailUsage}
   * @throws JailSystemError when they cannot be read
   * @see getrusage(2), proc(5)
   * @example console.log(`${Math.round(jail.usage().rss / 2 ** 20)} MiB`);
   */
  usage(): JailUsage {
    return sumUsage(this.processes());
  }

  /**
   * Does anybody in the jail listen on a TCP port, at one of its addresses or at any? Linux says so without a connection,
   * also where the host cannot reach the jail; on DragonFly a connection to each address is tried.
   *
   * @param port 1 to 65,535
   * @returns false when nobody does, and when no process is in the jail
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_NOT_FOUND`: it is gone
   * @see listen(2), proc_net_tcp(5)
   * @example while (!(await jail.isListening(80))) await setTimeout(50);
   */
  async isListening(port: number): Promise<boolean> {
    assertInteger(port, 'port', 1, 65_535);
    if (this.#end === 'gone') throw this.#notFound();
    return listensInside(this.#looked(), port);
  }

  /**
   * Is there a file in the jail, or a directory, whatever is mounted there? No symbolic link is followed: what the jail's
   * root can put there does not lead out of it.
   *
   * @param path absolute, inside the jail
   * @returns false also when a link or a `..` is on the way, and on Linux when no process is in the jail, by which alone
   *   its mounts are seen
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_NOT_FOUND`: it is gone
   * @see lstat(2), proc_pid_root(5)
   * @example while (!(await jail.hasFile('/var/run/ready'))) await setTimeout(50);
   */
  async hasFile(path: string): Promise<boolean> {
    assertAbsolutePath(path, 'path');
    if (this.#end === 'gone') throw this.#notFound();
    return existsInside(this.#looked(), path);
  }

  #looked(): Looked {
    return {
      jid: this.jid,
      inside: this.#backend.inside,
      info: () => this.info(),
      processes: () => this.processes(),
    };
  }

  /**
   * What commands in the jail may do.
   *
   * @returns a copy
   * @throws JailError `ERR_JAIL_NOT_FOUND`: it is gone
   * @see jail(8); sysctl(8) `jail.<jid>` on DragonFly; capabilities(7) on Linux
   * @example if (!jail.capabilities().rawSockets) console.log('no ping inside');
   */
  capabilities(): Capabilities {
    if (this.#end === 'gone') throw this.#notFound();
    const capabilities =
      this.#connection.pendingCapabilities() ?? this.#backend.capabilitiesOf(this.jid);
    if (capabilities === null) throw this.#notFound();
    return capabilities;
  }

  /**
   * Changes what commands in the jail may do: at once on DragonFly, on Linux for commands that are spawned later.
   *
   * @param capabilities those to be changed
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_UNSUPPORTED`: this kernel cannot
   *   give one of them, or (Linux) the jail is neither persistent nor made by this handle; `ERR_JAIL_NOT_FOUND`,
   *   `ERR_JAIL_STOPPED`. Nothing is changed then.
   * @see jail(8); sysctl(8) `jail.<jid>` on DragonFly
   * @example jail.setCapabilities({ rawSockets: true });
   */
  setCapabilities(capabilities: Partial<Capabilities>): void {
    this.#assertLive();
    const current = this.capabilities();
    const wanted = resolveCapabilities(capabilities ?? null, 'capabilities', current);
    this.#backend.checkCapabilities(wanted, this.jid);
    this.#connection.setCapabilities(wanted);
  }

  /**
   * Sends a signal to every process in the jail.
   *
   * @param signal name or number; 0 only counts them
   * @returns how many were signalled; 0 when the jail is empty or gone
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: no such signal
   * @throws JailSystemError `EPERM`
   * @see kill(2), killall(1) `-j`
   * @example jail.signal('SIGHUP');
   */
  signal(signal: NodeJS.Signals | number): number {
    const number = signalNumber(signal);
    return this.#end === 'gone' ? 0 : this.#backend.signal(this.jid, number);
  }

  /**
   * Moves **this whole process** into the jail, **for good**: DragonFly as root, outside of jails; elsewhere it is refused.
   * From then on it is one of the jail’s processes, and ends with the jail. All threads go along.
   *
   * Descriptors of directories would lead out, so they are closed (in their places is the end of an empty pipe, so that
   * whoever opened one closes nothing of somebody else’s), and the working directory becomes the jail’s `/`. Everything
   * else stays open and is told: files, pipes, and sockets, which keep the network that they were made in. Among those are
   * the connections of `Jail` handles to their monitors, outside: through one, this program can still start commands in
   * that jail, change its capabilities and end it.
   *
   * Load and open what will be needed before: `/` is the jail’s, and with it every module, program and configuration. What of
   * Node goes on working is in docs/dragonfly.md.
   *
   * @returns which descriptors were closed, and which are kept; {@link AttachReport}
   * @throws JailError `ERR_JAIL_UNSUPPORTED`: on Linux, in a worker thread, in a jail already; `ERR_JAIL_STOPPED`: the jail is
   *   stopped, or this handle is closed; `ERR_JAIL_NOT_FOUND`: it is gone. Nothing has been done then.
   * @throws JailSystemError step `attach`: `EPERM`: not root; what jail_attach(2) says, after which the directories
   *   are closed all the same
   * @see jail_attach(2), chdir(2)
   * @example
   * const jail = await Jail.open('www');
   * const { kept } = jail.attach();
   * console.log(kept.filter(({ type }) => type === 'socket').length, 'sockets came along');
   */
  attach(): AttachReport {
    this.#assertLive();
    return this.#backend.attach(this.jid);
  }

  /**
   * Ends the jail, whoever made it: runs `command` in it, sends `signal` to what still runs, waits until it has ended
   * but at most `graceMs`, kills the rest, and takes back everything that was set up. Further calls wait for the
   * first. From the first call on nothing can be spawned.
   *
   * A `command` that fails, cannot be run, or takes longer than `graceMs` does not keep the jail from being ended;
   * that it could not be run is told by a process warning.
   *
   * @param options see {@link StopOptions}
   * @returns resolves when the jail is gone (after `'exit'`); at once if it is
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_STOPPED`: this handle is closed;
   *   `ERR_JAIL_MONITOR_LOST`
   * @throws JailSystemError what could not be taken back: step `link`, `limits` or `unregister`
   * @see jail(8), rc.d/jail
   * @example await jail.stop({ command: ['/bin/sh', '/etc/rc.shutdown'], graceMs: 10_000 });
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const resolved = resolveStop(options);
    if (this.#end === 'gone') return;
    if (this.#end === 'closed') throw this.#stopped();
    this.#stopping ??= timed(
      'stop',
      (steps) => this.#stop(resolved, steps),
      () => ({ jid: this.jid, name: this.name }),
    );
    await this.#stopping;
  }

  /** Lets the handle keep the program alive, as it does from the start. */
  ref(): this {
    this.#connection.ref();
    return this;
  }

  /**
   * Lets the program end although the jail runs (and, unless it is persistent, the jail with it). Commands that run
   * are to be unref'd apart.
   */
  unref(): this {
    this.#connection.unref();
    return this;
  }

  /** Stops the jail if this handle owns it; else only lets go of it. Throws what {@link stop} throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.owned) {
      await this.stop();
      return;
    }
    await this.#connection.close();
    await this.#ended;
  }

  #launch(command: ResolvedSpawn): JailedProcess {
    const { signal } = command;
    if (signal?.aborted) return dead(command).giveUp(abortError(signal));
    let stdio: CommandStdio;
    try {
      stdio = openStdio(loadNative().native, command);
    } catch (error) {
      return dead(command).giveUp(error instanceof Error ? error : new Error(String(error)));
    }
    const launched = JailedProcess.of(command.argv, command.file, stdio);
    const events = observed(this.jid, command, launched.events);
    launched.begin(this.#connection.spawn(command, stdio, events)).bound(command);
    return launched.join(this.#commands);
  }

  async #stop({ command, signal, graceMs }: ResolvedStop, steps: StepSink | null): Promise<void> {
    try {
      if (command !== null) await this.#runStopCommand(command, graceMs);
      await this.#connection.stop(signal, graceMs, steps);
      await this.#ended;
    } catch (error) {
      this.#stopping = null;
      throw error;
    }
  }

  async #runStopCommand(argv: readonly string[], graceMs: number): Promise<void> {
    const [file, ...args] = argv;
    const command = resolveSpawn(file, args, { stdio: 'ignore' });
    const timeout = Math.max(graceMs, 1); // 0 would be for ever
    const bounded = { ...command, killSignal: constants.signals.SIGKILL, timeout };
    const running = this.#launch(bounded);
    running.on('error', () => {}); // told by `exited` too
    await running.exited.catch((error: Error) => warnOfStopCommand(error));
  }

  #finish(end: JailEnd): Promise<JailEnd> {
    this.#end = end;
    return new Promise((resolve) => {
      // Not inside the promise: what a listener throws is to be an uncaught exception, as with every emitter.
      process.nextTick(() => {
        try {
          if (end === 'gone') this.emit('exit');
        } finally {
          resolve(end);
        }
      });
    });
  }

  #assertLive(): void {
    if (this.#end !== null || this.#stopping !== null) throw this.#stopped();
  }

  #stopped(): JailError {
    return this.#end === 'closed' ? handleClosed(this.jid) : jailStopped(this.jid);
  }

  #notFound(): JailError {
    return new JailError('ERR_JAIL_NOT_FOUND', `Jail ${this.jid} is gone`);
  }
}

function understand(spec: JailSpec): { backend: Backend; resolved: ResolvedSpec } {
  const backend = selectBackend();
  const resolved = resolveSpec(spec, backend.defaultCapabilities());
  backend.checkSpec(resolved);
  return { backend, resolved };
}

function aboutCreation({ name, hostname, path }: ResolvedSpec, made: Connection | null): object {
  return { jid: made?.jid ?? null, name, hostname, path };
}

function checkId(id: unknown): number | string {
  if (id === '' || (typeof id === 'string' && id.includes('\0'))) {
    throw invalidValue('id', 'a jid or the name of a jail', id);
  }
  // Any other text may be asked for: what no jail can be called, none is called.
  if (typeof id === 'string') return id;
  if (typeof id !== 'number') throw invalidType('id', 'a jid or the name of a jail', id);
  assertInteger(id, 'id', 1, MAX_ID);
  return id;
}

function isRunning({ pid, exitCode, signalCode }: JailedProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function dead(command: ResolvedSpawn): JailedProcess {
  return JailedProcess.of(command.argv, command.file, deadStdio(command));
}

function warnOfStopCommand(error: Error): void {
  const code = error instanceof JailError ? error.code : 'ERR_JAIL_STOPPED';
  process.emitWarning(`The stop command could not be run: ${error.message}`, {
    type: 'JailWarning',
    code,
  });
}
