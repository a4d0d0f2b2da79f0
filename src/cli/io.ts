import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { exitCodes, signalExitCode } from './exit-codes.js';
import { escapeJson } from './output/escape.js';

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

/**
 * What only a process of its own has; without it a subcommand runs within another program. Descriptors 0, 1 and 2 are
 * then those of the streams, and may be given to commands.
 */
export interface OwnProcess {
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

/** The standard streams. */
export type StreamName = 'stdin' | 'stdout' | 'stderr';

const descriptorOf = { stdin: 0, stdout: 1, stderr: 2 } as const;

/**
 * The process that `dfjail` is. Its streams are made when they are first asked for: Node makes a descriptor that it
 * opens as a stream non-blocking, for all who share it, and most programs do not expect that of theirs.
 */
export class ProcessIo implements Io {
  readonly env = process.env;
  readonly process: OwnProcess = {
    onExit(action) {
      process.on('exit', action);
      return () => process.off('exit', action);
    },
    signalGroup: (group, signal) => process.kill(-group, signal),
  };
  #stdin: InputStream | null = null;
  #stdout: OutputStream | null = null;

  get stdin(): InputStream {
    this.#stdin ??= process.stdin.on('error', hangUp);
    return this.#stdin;
  }

  get stdout(): OutputStream {
    this.#stdout ??= process.stdout.on('error', cannotWrite);
    return this.#stdout;
  }

  get stderr(): OutputStream {
    return process.stderr;
  }

  onSignal(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): () => void {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  }

  /** Ends the process when all is written. What is still open, such as a terminal that was read from, does not keep it. */
  exit(code: number): void {
    if (this.#stdout === null) process.exit(code);
    this.#stdout.write('', (error) => {
      if (error) cannotWrite(error);
      process.exit(code);
    });
  }
}

// A reader that has seen enough, or a terminal that was closed: dfjail ends as a program does that takes no care of
// SIGPIPE or SIGHUP, but what is under way is ended in order.
function hangUp({ code }: NodeJS.ErrnoException): boolean {
  if (code !== 'EPIPE' && code !== 'EIO') return false;
  if (process.listenerCount('SIGHUP') > 0) process.emit('SIGHUP', 'SIGHUP');
  else process.exit(signalExitCode(code === 'EPIPE' ? 'SIGPIPE' : 'SIGHUP'));
  return true;
}

function cannotWrite(error: NodeJS.ErrnoException): void {
  if (hangUp(error)) return;
  process.stderr.write(`dfjail: ${error.message}\n`);
  process.exit(exitCodes.jail);
}

/** Is that stream a terminal? Asks without making it. */
export function isTerminal(io: Io, name: StreamName): boolean {
  if (io.process !== null) return isatty(descriptorOf[name]);
  return io[name].isTTY === true;
}

/** Writes a text that ends with a line break. */
export function printLine(stream: OutputStream, text: string): void {
  stream.write(`${text}\n`);
}

/** Writes a document for programs, over several lines. */
export function printJson(stream: OutputStream, value: unknown): void {
  printLine(stream, jsonFor(stream, JSON.stringify(value, null, 2)));
}

/** The same on one line, of which there are several. */
export function printJsonLine(stream: OutputStream, value: unknown): void {
  printLine(stream, jsonFor(stream, JSON.stringify(value)));
}

// It may hold what a jail has chosen, and somebody may look at it.
function jsonFor(stream: OutputStream, json: string): string {
  return stream.isTTY === true ? escapeJson(json) : json;
}
