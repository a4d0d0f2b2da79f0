import { PassThrough, Readable, Writable } from 'node:stream';
import type { Io } from '#internal/cli/io.js';

/** Streams, environment and signals for a subcommand that runs within the test. */
export class TestIo implements Io {
  readonly stdin: Io['stdin'];
  readonly stdout: Io['stdout'];
  readonly stderr: Io['stderr'];
  readonly env: Record<string, string | undefined>;
  readonly process = null;
  readonly #out: Buffer[] = [];
  readonly #errors: Buffer[] = [];
  readonly #both: Buffer[] = [];
  readonly #listeners = new Map<NodeJS.Signals, Set<(signal: NodeJS.Signals) => void>>();

  /** @param options `terminal`: stdout and stderr are one */
  constructor(options: { env?: Record<string, string>; input?: string; terminal?: boolean } = {}) {
    this.env = options.env ?? { PATH: '/sbin:/bin:/usr/sbin:/usr/bin' };
    this.stdin =
      options.input === undefined ? new PassThrough().end() : Readable.from([options.input]);
    this.stdout = collector([this.#out, this.#both], options.terminal);
    this.stderr = collector([this.#errors, this.#both], options.terminal);
  }

  readonly onSignal = (signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void) => {
    const listeners = this.#listeners.get(signal) ?? new Set();
    this.#listeners.set(signal, listeners.add(listener));
    return () => void listeners.delete(listener);
  };

  /** As if somebody had sent it. */
  signal(signal: NodeJS.Signals): void {
    for (const listener of this.#listeners.get(signal) ?? []) listener(signal);
  }

  /** How many wait for signals. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get out(): string {
    return Buffer.concat(this.#out).toString('latin1');
  }

  get errors(): string {
    return Buffer.concat(this.#errors).toString();
  }

  /** In the order of writing, as the recordings have it. */
  get both(): string {
    return Buffer.concat(this.#both).toString();
  }
}

function collector(parts: readonly Buffer[][], terminal = false): Io['stdout'] {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const part of parts) part.push(chunk);
      done();
    },
  });
  return terminal ? Object.assign(stream, { isTTY: true, columns: 80, rows: 24 }) : stream;
}
