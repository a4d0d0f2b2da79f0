import { PassThrough, type Readable, type Writable } from 'node:stream';
import { layout59 } from '../dragonfly/layout-5.9.js';
import type { Kernel } from './kernel-state.js';
import type { ModelProcess } from './model-process.js';
import type { ProcessEntry } from './process.js';

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
  readonly env: Readonly<Record<string, string>>;
  /** As the program sees it. */
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The process, with every system call of the model: `bind`, `connect`, `sysctl`, `fork`, … */
  readonly process: ModelProcess;
  /** Aborted when the process has ended, by a signal for one. */
  readonly ended: AbortSignal;
  /** Hears of a signal, which then does nothing else. */
  onSignal(name: string, listener: () => void): void;
  /** Waits. Rejects when the process ends meanwhile. */
  sleep(ms: number): Promise<void>;
  /** Waits for the end of the process: what daemons do. */
  forever(): Promise<never>;
  /** Starts another program as a child. */
  spawn(file: string, args?: readonly string[]): ModelProcess;
}

/** What a program is started with. */
export interface ProgramStart {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** The programs that there are. */
export class ProgramTable {
  readonly #programs = new Map<string, Program>();

  /**
   * Adds a program, or replaces it.
   *
   * @param path    as jails see it, the same in all of them
   * @param program what it does
   */
  add(path: string, program: Program): this {
    this.#programs.set(path, program);
    return this;
  }

  /** What is run by this path. */
  get(path: string): Program | undefined {
    return this.#programs.get(path);
  }

  /** Where a name is found along PATH; the name itself when it has a slash. */
  find(file: string, path: string): string | undefined {
    const candidates = file.includes('/') ? [file] : path.split(':').map((at) => `${at}/${file}`);
    return candidates.find((candidate) => this.#programs.has(candidate));
  }
}

/** Runs a program as this process, which has been exec'd. Returns at once. */
export function startProgram(
  kernel: Kernel,
  programs: ProgramTable,
  process: ModelProcess,
  program: Program,
  start: ProgramStart,
): void {
  const running = new RunningProgram(kernel, programs, process, start);
  void running.run(program);
}

class RunningProgram implements ProgramContext {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly process: ModelProcess;
  readonly ended: AbortSignal;
  readonly #kernel: Kernel;
  readonly #programs: ProgramTable;
  readonly #listeners = new Map<number, () => void>();

  constructor(kernel: Kernel, programs: ProgramTable, process: ModelProcess, start: ProgramStart) {
    this.#kernel = kernel;
    this.#programs = programs;
    this.process = process;
    this.argv = start.argv;
    this.env = start.env;
    this.stdin = start.stdin;
    this.stdout = start.stdout;
    this.stderr = start.stderr;
    const { entry } = process;
    this.ended = abortedAtEnd(entry);
    entry.handler = (signal) => this.#hear(signal);
    entry.ended.push(() => this.#close());
  }

  get cwd(): string {
    return this.process.getcwd();
  }

  async run(program: Program): Promise<void> {
    let code: number;
    try {
      const result = await program(this);
      code = typeof result === 'number' ? result : 0;
    } catch (error) {
      code = 1;
      if (!this.process.hasEnded) this.stderr.write(`${this.argv[0]}: ${String(error)}\n`);
    }
    if (!this.process.hasEnded) this.process.exit(code);
  }

  readonly onSignal = (name: string, listener: () => void): void => {
    const number = layout59.signals[name];
    if (number === undefined) throw new TypeError(`there is no signal ${name}`);
    this.#listeners.set(number, listener);
  };

  readonly sleep = (ms: number): Promise<void> => {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.ended.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(this.ended.reason);
      });
    });
  };

  readonly forever = (): Promise<never> => {
    return new Promise((_resolve, reject) => {
      if (this.ended.aborted) reject(this.ended.reason);
      this.ended.addEventListener('abort', () => reject(this.ended.reason));
    });
  };

  readonly spawn = (file: string, args: readonly string[] = []): ModelProcess => {
    const path = this.#programs.find(file, this.env.PATH ?? '');
    const program = path === undefined ? undefined : this.#programs.get(path);
    if (path === undefined || program === undefined) throw this.#kernel.error('ENOENT');
    const child = this.process.fork();
    child.execve(path, [file, ...args]);
    startProgram(this.#kernel, this.#programs, child, program, {
      file: path,
      argv: [file, ...args],
      env: this.env,
      stdin: new PassThrough().end(),
      stdout: shared(this.stdout),
      stderr: shared(this.stderr),
    });
    return child;
  };

  #hear(signal: number): boolean {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return false;
    queueMicrotask(listener);
    return true;
  }

  #close(): void {
    this.stdout.end();
    this.stderr.end();
    this.stdin.destroy();
  }
}

// The end of a child must not end its parent's output.
function shared(output: Writable): Writable {
  const own = new PassThrough();
  own.on('data', (chunk) => {
    if (output.writable) output.write(chunk);
  });
  return own;
}

function abortedAtEnd(entry: ProcessEntry): AbortSignal {
  const controller = new AbortController();
  entry.ended.push(() => controller.abort());
  return controller.signal;
}
