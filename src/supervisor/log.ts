import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JailedProcess } from '../jailed-process.js';
import { sameLinkError } from '../link-error.js';
import type { StdioOptions } from '../stdio-options.js';
import type { Definition } from './definition.js';
import { LineSplitter } from './line-splitter.js';
import { LOG_MODE, openLog, RotatingFile, shiftOlder } from './log-file.js';
import type { LogFile, LogLine } from './service-spec.js';

const POLL_MS = 50;
const ROTATION_MS = 1000;
const COPY_BYTES = 256 * 1024;
const LAST_WORDS_MS = 1000; // whoever was handed the pipe may keep it open

/** Where what a service writes goes to. */
export interface Log {
  /** For the next command. */
  stdio(): Promise<StdioOptions>;
  /** The command runs: its streams are ours. */
  attach(command: JailedProcess): void;
  /** Hears of each line from now on; the returned function ends that. */
  listen(listener: (line: LogLine) => void): () => void;
  /** Nothing more comes; resolves when everything is written. */
  close(): Promise<void>;
}

/**
 * The log of a service.
 *
 * @param definition whose
 * @param outlives   the commands outlive this program: they have to have the file itself
 * @param failed     hears of a log that cannot be written
 */
export function openLogOf(
  definition: Definition,
  outlives: boolean,
  failed: (error: Error) => void,
): Log {
  const { log, name } = definition;
  if (outlives) return new DirectLog(name, typeof log === 'function' ? null : log, failed);
  return new PipedLog(name, log, failed);
}

/** By way of this program. */
class PipedLog implements Log {
  readonly #service: string;
  readonly #listeners = new Set<(line: LogLine) => void>();
  readonly #file: RotatingFile | null = null;
  /** The streams that may still say something. */
  readonly #open = new Set<Promise<void>>();

  constructor(service: string, log: Definition['log'], failed: (error: Error) => void) {
    this.#service = service;
    if (typeof log === 'function') this.#listeners.add(log);
    else if (log !== null) this.#file = new RotatingFile(log).on('error', failed);
  }

  async stdio(): Promise<StdioOptions> {
    return ['ignore', 'pipe', 'pipe'];
  }

  attach({ stdout, stderr }: JailedProcess): void {
    this.#read(stdout, 'stdout');
    this.#read(stderr, 'stderr');
  }

  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    // What was written last may be read only after the command's end is known.
    const read = Promise.all(this.#open);
    await Promise.race([read, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    const file = this.#file;
    if (file === null || file.destroyed) return;
    await new Promise<void>((resolve) => {
      file.once('close', resolve);
      file.end();
    });
  }

  #read(source: Readable | null, stream: LogLine['stream']): void {
    if (source === null) return;
    const lines = new LineSplitter((text) => this.#tell({ service: this.#service, stream, text }));
    source.on('data', (chunk: Buffer) => this.#take(source, chunk, lines));
    const closed = new Promise<void>((resolve) => {
      source.once('close', () => {
        lines.end();
        this.#open.delete(closed);
        resolve();
      });
    });
    this.#open.add(closed);
    source.on('error', () => {});
  }

  // The file is what sets the pace: a service that writes faster than the disk waits, as it would with a file.
  #take(source: Readable, chunk: Buffer, lines: LineSplitter): void {
    if (this.#listeners.size > 0) lines.push(chunk);
    const file = this.#file;
    if (file === null || file.destroyed || file.write(chunk)) return;
    source.pause();
    const go = () => {
      file.off('drain', go).off('close', go);
      source.resume();
    };
    file.on('drain', go).on('close', go);
  }

  #tell(line: LogLine): void {
    for (const listener of this.#listeners) listener(line);
  }
}

/** The commands have the file; it is copied and emptied when it has grown, since they keep it open. */
class DirectLog implements Log {
  readonly #service: string;
  readonly #options: Required<LogFile> | null;
  readonly #failed: (error: Error) => void;
  readonly #timer: NodeJS.Timeout | null;
  #handle: FileHandle | null = null;

  constructor(service: string, options: Required<LogFile> | null, failed: (error: Error) => void) {
    this.#service = service;
    this.#options = options;
    this.#failed = failed;
    this.#timer = options === null ? null : setInterval(() => void this.#rotate(), ROTATION_MS);
    this.#timer?.unref();
  }

  async stdio(): Promise<StdioOptions> {
    if (this.#options === null) return 'ignore';
    this.#handle = await openLog(this.#options.file);
    return ['ignore', this.#handle.fd, this.#handle.fd];
  }

  attach(): void {
    const handle = this.#handle;
    this.#handle = null;
    handle?.close().catch(() => {});
  }

  listen(listener: (line: LogLine) => void): () => void {
    if (this.#options === null) return () => {};
    const stop = new AbortController();
    const { file } = this.#options;
    const start = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const tell = (text: string) => listener({ service: this.#service, stream: 'stdout', text });
    follow(file, start, new LineSplitter(tell), stop.signal).catch(this.#failed);
    return () => stop.abort();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.attach();
  }

  async #rotate(): Promise<void> {
    if (this.#options === null) return;
    const { file, maxBytes, keep } = this.#options;
    try {
      if ((await lstat(file)).size <= maxBytes) return;
      await shiftOlder(file, keep);
      moveContent(file, keep > 0 ? `${file}.1` : null);
    } catch (error) {
      const told = sameLinkError(error as NodeJS.ErrnoException);
      if (told.code !== 'ENOENT') this.#failed(told);
    }
  }
}

// In one turn of the event loop, since what is written between the two is lost. By a descriptor: who may write to the log's
// folder may put a link in its place.
function moveContent(file: string, to: string | null): void {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (to !== null) copyContent(fd, to);
    ftruncateSync(fd);
  } finally {
    closeSync(fd);
  }
}

function copyContent(from: number, to: string): void {
  const buffer = Buffer.alloc(COPY_BYTES);
  const fd = openSync(to, 'wx', LOG_MODE);
  try {
    for (let at = 0, read = 1; read > 0; at += read) {
      read = readSync(from, buffer, 0, buffer.length, at);
      writeFileSync(fd, buffer.subarray(0, read));
    }
  } finally {
    closeSync(fd);
  }
}

async function follow(
  file: string,
  start: number,
  lines: LineSplitter,
  signal: AbortSignal,
): Promise<void> {
  const buffer = Buffer.alloc(64 * 1024);
  for (let position = start; !signal.aborted; await sleep(POLL_MS)) {
    const bytes = await readFrom(file, position, buffer);
    position += bytes;
    lines.push(Buffer.from(buffer.subarray(0, bytes)));
  }
}

// None of a file that is not there yet.
async function readFrom(file: string, position: number, buffer: Buffer): Promise<number> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => null);
  if (handle === null) return 0;
  try {
    return (await handle.read(buffer, 0, buffer.length, position)).bytesRead;
  } finally {
    await handle.close();
  }
}
