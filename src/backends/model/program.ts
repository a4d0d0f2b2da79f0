import type { Duplex, Readable, Writable } from 'node:stream';
import type { ModelProcess } from './model-process.js';
import type { ProgramTerminal } from './terminal.js';

/**
 * A program of a model kernel.
 *
 * @returns its exit code, or a promise of it; anything but a number is 0. What it throws is written to stderr, and the
 *   code is 1.
 */
export type Program = (context: ProgramContext) => unknown;

/** What a program has. */
export interface ProgramContext {
  /** The program itself as the first. */
  readonly argv: readonly string[];
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** As the program sees it. */
  readonly cwd: string;
  /** What it reads; ends at once where nothing was given. */
  readonly stdin: Readable;
  /** Where it writes. */
  readonly stdout: Writable;
  /** Where it writes what goes wrong. */
  readonly stderr: Writable;
  /** The process, with every system call of the model: `bind`, `connect`, `sysctl`, `fork`, … */
  readonly process: ModelProcess;
  /** Aborted when the process has ended, by a signal for one. */
  readonly ended: AbortSignal;
  /**
   * Hears of a signal, which then does nothing else.
   *
   * @param name `SIGTERM`, …; SIGKILL and SIGSTOP cannot be heard of
   * @param listener called each time
   */
  onSignal(name: string, listener: () => void): void;
  /**
   * Waits. Rejects when the process ends meanwhile.
   *
   * @param ms how long
   * @throws the reason of {@link ended} when the process ends meanwhile
   */
  sleep(ms: number): Promise<void>;
  /**
   * Waits for the end of the process: what daemons do.
   *
   * @returns rejects when the process has ended
   */
  forever(): Promise<never>;
  /** The terminal that it runs on; null: none. */
  readonly terminal: ProgramTerminal | null;
  /**
   * What stands at a further descriptor, from 3 on, as `stdio` gave it; null: nothing.
   *
   * @param descriptor 3 and above
   * @returns to read from and write to; null: nothing
   */
  stream(descriptor: number): Duplex | null;
  /**
   * Starts another program as a child.
   *
   * @param file    with a slash, or to be found along PATH
   * @param args    its arguments, without the program itself
   * @param options its streams; those that are left out are this program's, but for stdin, which is empty
   * @returns the child
   * @throws KernelError `ENOENT`
   */
  spawn(file: string, args?: readonly string[], options?: ChildOptions): ModelProcess;
  /**
   * Starts a function as a child of the same name: fork(2) without execve(2).
   *
   * @param program what the child does
   * @param options its streams, as for {@link spawn}
   * @returns the child
   */
  fork(program: Program, options?: ChildOptions): ModelProcess;
  /**
   * Becomes another program: execve(2). Nothing is to be done afterwards but to return what this returns.
   *
   * @param file    as for {@link spawn}
   * @param args    its arguments, without the program itself
   * @param options its streams; those that are left out stay
   * @returns what the program returns
   * @throws KernelError `ENOENT`
   */
  exec(file: string, args?: readonly string[], options?: ChildOptions): unknown;
  /**
   * Waits for the end of a child, and reaps it.
   *
   * @param child of {@link spawn} or {@link fork}
   * @returns its wait status
   */
  wait(child: ModelProcess): Promise<number>;
}

/** How a child of a program is started. Streams that are given stay open when it ends. */
export interface ChildOptions {
  /** Its environment. Default: this program’s. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads. Default: nothing. */
  readonly stdin?: Readable;
  /** Default: this program’s. */
  readonly stdout?: Writable;
  /** Default: this program’s. */
  readonly stderr?: Writable;
}

/** What a program is started with. */
export interface ProgramStart {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What stands at descriptors from 3 on. */
  readonly others?: readonly (Duplex | null)[];
  readonly terminal?: ProgramTerminal | null;
  /** stdin is somebody else's too. */
  readonly keepStdin?: boolean;
}
