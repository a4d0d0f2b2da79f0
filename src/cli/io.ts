import type { Readable, Writable } from 'node:stream';

/** What is read, and perhaps a terminal. */
export type InputStream = Readable & {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
};

/** What is written to, and perhaps a terminal. */
export type OutputStream = Writable & {
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
  /** Of a terminal. */
  readonly rows?: number;
};

/** What only a process of its own has; without it a subcommand runs within another program. */
export interface OwnProcess {
  /** Descriptors 0, 1 and 2 are those of `stdin`, `stdout` and `stderr`, and may be given to commands. */
  readonly descriptors: readonly [0, 1, 2];
  /** Calls it when the program ends, however it does; gives what takes that back. */
  onExit(action: () => void): () => void;
  /** Signals a process group of the host. */
  signalGroup(group: number, signal: NodeJS.Signals): void;
}

/** Everything of the outer world that a subcommand may touch. */
export interface Io {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Has a signal come to the subcommand instead of ending it.
   *
   * @returns puts back what was before
   */
  onSignal(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): () => void;
  readonly process: OwnProcess | null;
}

/** The process that `dfjail` is. */
export function processIo(): Io {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    onSignal(signal, listener) {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
    process: {
      descriptors: [0, 1, 2],
      onExit(action) {
        process.on('exit', action);
        return () => process.off('exit', action);
      },
      signalGroup: (group, signal) => process.kill(-group, signal),
    },
  };
}

/** Writes a text that ends with a line break. */
export function printLine(stream: OutputStream, text: string): void {
  stream.write(`${text}\n`);
}

/** Writes a document for programs. */
export function printJson(stream: OutputStream, value: unknown): void {
  printLine(stream, JSON.stringify(value, null, 2));
}
