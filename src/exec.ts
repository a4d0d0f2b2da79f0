import type { Readable } from 'node:stream';
import { JailError } from './errors.js';
import type { JailedProcess } from './jailed-process.js';
import type { ProcessUsage } from './reports.js';
import type { ResolvedExec, ResolvedSpawn } from './spawn-options.js';

/**
 * What a command that was run by `Jail.exec()` wrote, and how it ended.
 *
 * @typeParam Output a string, or a Buffer with `encoding: 'buffer'`
 */
export interface ExecResult<Output extends string | Buffer = string | Buffer> {
  /** With `pty` everything is here. */
  stdout: Output;
  /** Empty with `pty`. */
  stderr: Output;
  /** Null when a signal ended it. */
  exitCode: number | null;
  /** The signal that ended it; null: it ended by itself. */
  signal: NodeJS.Signals | null;
  /** `timeout` was over before the command. */
  timedOut: boolean;
  /** What it used: ms and bytes. */
  usage: ProcessUsage;
}

type StreamName = 'stdout' | 'stderr';

/**
 * Runs a command to its end and collects what it writes.
 *
 * @param command what to run
 * @param spawn   how
 */
export function execute(
  command: ResolvedExec,
  spawn: (command: ResolvedSpawn) => JailedProcess,
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    new Execution(command, spawn(withoutUnusedPipe(command)), resolve, reject).run();
  });
}

// Nobody could write to a pipe of its own; the timeout is ours, which has to be told from other ends.
function withoutUnusedPipe(command: ResolvedExec): ResolvedSpawn {
  const spawned = { ...command, timeout: 0 };
  const [first, ...others] = command.stdio;
  if (command.input !== null || command.pty !== null || first?.kind !== 'pipe') return spawned;
  return { ...spawned, stdio: [{ kind: 'null' }, ...others] };
}

class Execution {
  readonly #command: ResolvedExec;
  readonly #process: JailedProcess;
  readonly #resolve: (result: ExecResult) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Record<StreamName, Buffer[]> = { stdout: [], stderr: [] };
  #overflow: StreamName | null = null;
  #timedOut = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    command: ResolvedExec,
    process: JailedProcess,
    resolve: (result: ExecResult) => void,
    reject: (error: Error) => void,
  ) {
    this.#command = command;
    this.#process = process;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  run(): void {
    const { timeout, input } = this.#command;
    this.#collect('stdout', this.#process.stdout);
    this.#collect('stderr', this.#process.stderr);
    this.#process.on('error', (error) => this.#fail(error));
    this.#process.exited.catch((error: Error) => this.#fail(error)); // also where no event tells it
    this.#process.on('close', () => void this.#finish());
    this.#process.stdin?.on('error', () => {}); // the command need not read all of its input
    this.#process.stdin?.end(input ?? undefined);
    if (timeout > 0) this.#timer = setTimeout(() => this.#timeOut(), timeout);
  }

  #collect(name: StreamName, stream: Readable | null): void {
    const { maxBuffer } = this.#command;
    let size = 0;
    stream?.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, maxBuffer - size);
      size += chunk.length;
      this.#chunks[name].push(kept);
      if (size > maxBuffer) this.#overflowed(name);
    });
  }

  #timeOut(): void {
    this.#timedOut = true;
    this.#kill();
  }

  #overflowed(name: StreamName): void {
    if (this.#overflow !== null) return;
    this.#overflow = name;
    this.#kill();
  }

  // What the command has started may hold its pipes open after its own end: they are not waited for.
  #kill(): void {
    this.#process.kill(this.#command.killSignal);
    this.#letGo();
  }

  #letGo(): void {
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }

  #fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#letGo();
    this.#reject(error);
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#timer);
    const output = { stdout: this.#output('stdout'), stderr: this.#output('stderr') };
    if (this.#overflow !== null) {
      this.#reject(Object.assign(tooMuch(this.#overflow), output));
      return;
    }
    const exit = await this.#process.exited.catch(() => null);
    if (exit !== null) this.#resolve({ ...output, ...exit, timedOut: this.#timedOut });
  }

  #output(name: StreamName): string | Buffer {
    const bytes = Buffer.concat(this.#chunks[name]);
    const { encoding } = this.#command;
    return encoding === 'buffer' ? bytes : bytes.toString(encoding);
  }
}

function tooMuch(name: StreamName): JailError {
  const message = `${name} maxBuffer length exceeded`;
  const hint = 'raise maxBuffer, or use spawn() and read the stream as it comes';
  return new JailError('ERR_CHILD_PROCESS_STDIO_MAXBUFFER', message, { hint });
}
