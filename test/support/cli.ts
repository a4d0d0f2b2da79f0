import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Io } from '#internal/cli/io.js';
import { main } from '#internal/cli/program.js';

/** The terminal that a call has instead of pipes. */
export interface FakeTerminal {
  columns: number;
  rows: number;
}

/** How to call `dfjail` within the test. */
export interface CliOptions {
  terminal?: FakeTerminal;
  env?: Record<string, string>;
  input?: string;
}

/** What a call of `dfjail` said. */
export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A call of `dfjail` in this process that is still going on. */
export class CliCall {
  readonly #signals = new EventEmitter();
  readonly stdin: PassThrough & { isTTY?: boolean; raw?: boolean };
  readonly stdout: PassThrough & { isTTY?: boolean; columns?: number; rows?: number };
  readonly #stderr = new PassThrough();
  readonly #written = { stdout: '', stderr: '' };
  readonly done: Promise<CliResult>;

  constructor(argv: readonly string[], { terminal, env = {}, input }: CliOptions = {}) {
    this.stdin = new PassThrough();
    this.stdout = new PassThrough();
    if (terminal !== undefined) {
      const setRawMode = (raw: boolean) => Object.assign(this.stdin, { raw });
      Object.assign(this.stdin, { isTTY: true, setRawMode });
      Object.assign(this.stdout, { isTTY: true, ...terminal });
      Object.assign(this.#stderr, { isTTY: true });
    } else {
      this.stdin.end(input ?? '');
    }
    this.stdout.on('data', (chunk) => this.#add('stdout', chunk));
    this.#stderr.on('data', (chunk) => this.#add('stderr', chunk));
    this.done = main(argv, this.#io(env)).then((code) => ({ code, ...this.#written }));
  }

  #add(name: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#written[name] += chunk.toString();
  }

  #io(env: Record<string, string>): Io {
    const signals = this.#signals;
    return {
      stdin: this.stdin,
      stdout: this.stdout,
      stderr: this.#stderr,
      env,
      onSignal(signal, listener) {
        signals.on(signal, listener);
        return () => signals.off(signal, listener);
      },
      process: null,
    };
  }

  /** What it has written so far. */
  get text(): string {
    return this.#written.stdout;
  }

  /** How many listen for signals: none is to be left. */
  get listeners(): number {
    return this.#signals.eventNames().length;
  }

  signal(name: NodeJS.Signals): void {
    this.#signals.emit(name, name);
  }
}

/** Calls `dfjail` in this process and waits for its end. */
export async function dfjail(argv: readonly string[], options?: CliOptions): Promise<CliResult> {
  return new CliCall(argv, options).done;
}

/** What it prints with --json. */
export async function dfjailJson<T>(argv: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await dfjail([...argv, '--json']);
  if (code !== 0) throw new Error(`dfjail ${argv.join(' ')} exited with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}
