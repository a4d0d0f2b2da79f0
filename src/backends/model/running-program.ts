import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { layout59 } from '../dragonfly/layout-5.9.js';
import { setRunning } from './calls/compute.js';
import { deliver } from './calls/signals.js';
import type { Kernel } from './kernel-state.js';
import type { ModelProcess } from './model-process.js';
import { reap } from './monitor.js';
import { branchOutput, holdOutput, releaseOutput, written } from './outputs.js';
import type { ProcessEntry } from './process.js';
import type { ChildOptions, Program, ProgramContext, ProgramStart } from './program.js';
import { type FoundProgram, findProgram, type ProgramTable } from './program-table.js';
import type { ProgramTerminal } from './terminal.js';

const FIRST_OTHER = 3;
const SIGPIPE = layout59.signals.SIGPIPE ?? 13;
// Of a small program, in bytes.
const RESIDENT_SIZE = 1 << 20;
const VIRTUAL_SIZE = 8 << 20;

/** Has a process take as much memory as a small program does. */
export function giveMemory({ entry }: ModelProcess): void {
  entry.rss ||= RESIDENT_SIZE;
  entry.virtualSize ||= VIRTUAL_SIZE;
}

/** Runs a program as this process, which has been exec'd. Returns at once. */
export function startProgram(
  kernel: Kernel,
  programs: ProgramTable,
  process: ModelProcess,
  program: Program,
  start: ProgramStart,
): void {
  giveMemory(process);
  const running = new RunningProgram(kernel, programs, process, start);
  void running.run(program);
}

class RunningProgram implements ProgramContext {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  readonly process: ModelProcess;
  readonly ended: AbortSignal;
  readonly #kernel: Kernel;
  readonly #programs: ProgramTable;
  readonly #start: ProgramStart;
  /** Those that it was given and has not let go. */
  readonly #outputs: Set<Writable>;
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
    this.#start = start;
    this.#outputs = new Set([start.stdout, start.stderr]);
    for (const output of this.#outputs) {
      holdOutput(output);
      output.on('error', () => this.#hearBrokenPipe());
    }
    const { entry } = process;
    this.ended = abortedAtEnd(entry);
    entry.handler = (signal) => this.#hear(signal);
    entry.ended.push(() => this.#close());
  }

  get terminal(): ProgramTerminal | null {
    return this.#start.terminal ?? null;
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
    await Promise.all([written(this.stdout), written(this.stderr)]);
    if (!this.process.hasEnded) this.process.exit(code);
  }

  readonly onSignal = (name: string, listener: () => void): void => {
    const number = layout59.signals[name];
    if (number === undefined) throw new TypeError(`there is no signal ${name}`);
    this.#listeners.set(number, listener);
  };

  readonly sleep = (ms: number): Promise<void> => {
    setRunning(this.process.entry, false);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.ended.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(this.ended.reason);
      });
    });
  };

  readonly forever = (): Promise<never> => {
    setRunning(this.process.entry, false);
    return new Promise((_resolve, reject) => {
      if (this.ended.aborted) reject(this.ended.reason);
      this.ended.addEventListener('abort', () => reject(this.ended.reason));
    });
  };

  readonly stream = (descriptor: number): Duplex | null => {
    return this.#start.others?.[descriptor - FIRST_OTHER] ?? null;
  };

  readonly spawn = (
    file: string,
    args: readonly string[] = [],
    options: ChildOptions = {},
  ): ModelProcess => {
    const { path, program, argv0 } = this.#find(file, options.env ?? this.env);
    const argv = [...argv0, ...args];
    const child = this.process.fork();
    child.execve(path, argv);
    this.#run(child, program, { file: path, argv }, options);
    return child;
  };

  readonly fork = (program: Program, options: ChildOptions = {}): ModelProcess => {
    const child = this.process.fork();
    this.#run(child, program, { file: this.#start.file, argv: this.argv }, options);
    return child;
  };

  readonly exec = (
    file: string,
    args: readonly string[] = [],
    { env = this.env, ...streams }: ChildOptions = {},
  ): unknown => {
    const { path, program, argv0 } = this.#find(file, env);
    this.argv = [...argv0, ...args];
    this.process.execve(path, this.argv);
    this.#listeners.clear();
    this.env = env;
    this.#replaceStreams(streams);
    return program(this);
  };

  readonly wait = async (child: ModelProcess): Promise<number> => {
    const { entry } = child;
    setRunning(this.process.entry, false);
    if (!entry.isZombie) await new Promise<void>((resolve) => entry.ended.push(resolve));
    if (!this.process.hasEnded) reap(this.process, child.pid);
    return entry.exitStatus;
  };

  #find(file: string, env: Readonly<Record<string, string>>): FoundProgram {
    return findProgram(this.#programs, this.process, file, env.PATH ?? '');
  }

  #run(
    child: ModelProcess,
    program: Program,
    about: Pick<ProgramStart, 'file' | 'argv'>,
    options: ChildOptions,
  ): void {
    startProgram(this.#kernel, this.#programs, child, program, {
      ...about,
      env: options.env ?? this.env,
      stdin: options.stdin ?? new PassThrough().end(),
      stdout: branchOutput(options.stdout ?? this.stdout),
      stderr: branchOutput(options.stderr ?? this.stderr),
      others: this.#start.others ?? [],
      terminal: this.terminal,
      keepStdin: options.stdin !== undefined,
    });
  }

  #hear(signal: number): boolean {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return false;
    queueMicrotask(listener);
    return true;
  }

  // Whoever writes where nobody reads is ended, unless it has something else to do about that.
  #hearBrokenPipe(): void {
    if (!this.process.hasEnded) deliver(this.#kernel, this.process.entry, SIGPIPE);
  }

  // What it was given and does not have any more ends, unless somebody else writes to it.
  #replaceStreams({ stdin, stdout, stderr }: Omit<ChildOptions, 'env'>): void {
    this.stdin = stdin ?? this.stdin;
    this.stdout = stdout ?? this.stdout;
    this.stderr = stderr ?? this.stderr;
    for (const output of this.#outputs) {
      if (output !== this.stdout && output !== this.stderr) this.#letGo(output);
    }
  }

  #letGo(output: Writable): void {
    this.#outputs.delete(output);
    releaseOutput(output);
  }

  #close(): void {
    for (const output of this.#outputs) this.#letGo(output);
    if (this.#start.keepStdin !== true) this.stdin.destroy();
  }
}

function abortedAtEnd(entry: ProcessEntry): AbortSignal {
  const controller = new AbortController();
  entry.ended.push(() => controller.abort());
  return controller.signal;
}
