import { writeSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { TerminalSource } from './backends/backend.js';
import type { Native } from './native.js';
import type { TerminalSize } from './spawn-options.js';

const END_OF_FILE = 0x04; // VEOF, as every terminal starts with
const NEWLINE = 0x0a;
const RETRY_MS = 5;

/** Our side of a command's terminal: one descriptor, shown as two streams. */
export class Terminal implements TerminalSource {
  readonly #native: Native;
  readonly #fd: number;
  readonly #master: ReadStream;
  readonly #listeners: (() => void)[] = [];
  #size: TerminalSize;
  /** What is typed. Ending it types the end-of-file character. */
  readonly input: Writable;
  /** What the command shows. */
  readonly output: Readable;

  /**
   * @param native the addon
   * @param fd     the master, not blocking; it belongs to this object from here on
   * @param size   what it was made with
   */
  constructor(native: Native, fd: number, size: Readonly<TerminalSize>) {
    this.#native = native;
    this.#size = { ...size };
    this.#fd = fd;
    this.#master = new ReadStream(fd);
    this.output = shownOn(this.#master);
    this.input = typedInto((bytes) => this.#write(bytes));
  }

  /** Changes the size; the command is told by SIGWINCH. Nothing happens when the terminal is closed. */
  resize(columns: number, rows: number): void {
    if (this.#master.destroyed) return;
    this.#native.resizePty(this.#fd, columns, rows);
    this.#size = { columns, rows };
    for (const tell of this.#listeners) tell();
  }

  get size(): TerminalSize {
    return { ...this.#size };
  }

  onResize(listener: () => void): void {
    this.#listeners.push(listener);
  }

  // Synchronous, since a write by the thread pool could meet a descriptor that was closed meanwhile, and not long, since
  // the descriptor does not block.
  #write(bytes: Uint8Array): number | null {
    if (this.#master.destroyed) return null;
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      return null;
    }
  }
}

// The end of a terminal is EIO on Linux: the last process that had it open has gone. As with a socket, reading from it
// keeps the program alive, unless it is unref()ed.
function shownOn(master: ReadStream): Readable {
  const output = new Readable({
    read: () => {
      if (!master.destroyed) master.resume();
    },
    destroy: (error, done) => {
      master.destroy();
      done(error);
    },
  });
  master.on('data', (chunk: Buffer) => {
    if (!output.push(chunk)) master.pause();
  });
  master.on('end', () => output.push(null));
  master.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EIO') output.push(null);
    else output.destroy(error);
  });
  const ref = () => {
    master.ref();
    return output;
  };
  const unref = () => {
    master.unref();
    return output;
  };
  return Object.assign(output, { ref, unref });
}

// Not by the tty handle: libuv writes to a terminal's master in a way that stops the whole program for as long as the
// command does not read.
function typedInto(attempt: Attempt): Writable {
  const keys = new Keys((bytes) => (input.destroyed ? null : attempt(bytes)));
  const input: Writable = new Writable({
    decodeStrings: true,
    write: (chunk: Buffer, _encoding, done) => keys.type(chunk, done),
    final: (done) => keys.end(done),
  });
  return input;
}

// How many bytes were taken; null when nobody is there any more.
type Attempt = (bytes: Uint8Array) => number | null;

class Keys {
  readonly #attempt: Attempt;
  #atLineStart = true;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  type(bytes: Uint8Array, done: () => void): void {
    if (bytes.length > 0) this.#atLineStart = bytes[bytes.length - 1] === NEWLINE;
    this.#push(bytes, done);
  }

  // In the middle of a line the first one only delivers the line so far.
  end(done: () => void): void {
    const count = this.#atLineStart ? 1 : 2;
    this.#push(Buffer.alloc(count, END_OF_FILE), done);
  }

  #push(bytes: Uint8Array, done: () => void): void {
    let left = bytes;
    while (left.length > 0) {
      const taken = this.#attempt(left);
      if (taken === null) break;
      left = left.subarray(taken);
      if (taken > 0) continue;
      setTimeout(() => this.#push(left, done), RETRY_MS);
      return;
    }
    done();
  }
}
