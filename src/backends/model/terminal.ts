import { closeSync, createWriteStream, fstatSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { TerminalSize } from '../../spawn-options.js';
import type { TerminalSource } from '../backend.js';
import { LineDiscipline } from './line-discipline.js';

/** The terminal of a scripted program. */
export interface ProgramTerminal {
  /** As it is now; SIGWINCH tells of a change. */
  readonly size: TerminalSize;
  /**
   * Whether what is typed comes as it is, at once and unseen: cfmakeraw(3).
   *
   * @param raw false: lines are edited again and keys signal
   */
  setRaw(raw: boolean): void;
}

/** Who is to hear of keys that are signals, of another size, and that the terminal was hung up. */
export type SignalForeground = (name: string) => void;

// libuv opens a terminal's slave once more for itself, and leaves the descriptor that it was given.
function openInput(fd: number): ReadStream {
  const { rdev } = fstatSync(fd);
  const input = new ReadStream(fd).setRawMode(true).unref();
  input.once('close', () => {
    if (deviceOf(fd) === rdev) closeSync(fd);
  });
  return input;
}

function deviceOf(fd: number): number | null {
  try {
    return fstatSync(fd).rdev;
  } catch {
    return null; // it has closed it after all
  }
}

/**
 * The command's side of a terminal of this machine. What is written goes through the kernel's line discipline; what is
 * typed through one of our own, for the kernel's knows no processes of a model to signal.
 */
export class ModelTerminal implements ProgramTerminal {
  readonly stdin: Readable;
  /** Both stdout and stderr. */
  readonly screen: Writable;
  readonly #source: TerminalSource;
  readonly #input: ReadStream;
  readonly #discipline: LineDiscipline;
  /** What was typed and not read; null: the end of it. */
  readonly #lines: (Buffer | null)[] = [];
  #isWanted = false;
  #signal: SignalForeground = () => {};

  /**
   * @param fds    the slave, as often as it stands among the three; they belong to this object
   * @param source what is known of it on the other side
   */
  constructor([fd = -1, ...others]: readonly number[], source: TerminalSource) {
    this.#source = source;
    this.#input = openInput(fd);
    const output = createWriteStream('', { fd: others[0] ?? -1 }).on('error', () => {});
    for (const spare of others.slice(1)) closeSync(spare);
    this.stdin = new Readable({
      highWaterMark: 1, // a line at a time, as read(2) gives them
      read: () => this.#give(),
      destroy: (error, done) => {
        this.#input.destroy();
        done(error);
      },
    });
    this.#discipline = new LineDiscipline({
      echo: (bytes) => void output.write(bytes),
      deliver: (bytes) => this.#queue(bytes),
      end: () => this.#queue(null),
      signal: (name) => this.#signal(name),
    });
    this.screen = new Writable({
      write: (chunk, _encoding, done) => output.write(chunk, done),
      final: (done) => void output.end(done),
    });
    this.#listen();
  }

  get size(): TerminalSize {
    return this.#source.size;
  }

  setRaw(raw: boolean): void {
    this.#discipline.raw = raw;
  }

  /** Who runs in its foreground. */
  attach(signal: SignalForeground): void {
    this.#signal = signal;
    this.#source.onResize(() => signal('SIGWINCH'));
  }

  #queue(line: Buffer | null): void {
    this.#lines.push(line);
    if (this.#isWanted) this.#give();
  }

  #give(): void {
    const line = this.#lines.shift();
    this.#isWanted = line === undefined;
    if (line !== undefined && !this.stdin.destroyed) this.stdin.push(line);
  }

  // Its other side has gone: EIO, or the end.
  #listen(): void {
    const hangUp = () => {
      this.#queue(null);
      this.#signal('SIGHUP');
    };
    this.#input.on('data', (chunk: Buffer) => this.#discipline.type(chunk));
    this.#input.once('end', hangUp).on('error', hangUp);
  }
}
