import { closeSync, constants, ftruncateSync, readSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuardedFolder } from '../files/below.js';
import type { JailedProcess } from '../jailed-process.js';
import { sameLinkError } from '../link-error.js';
import type { StdioOptions } from '../stdio-options.js';
import type { Definition } from './definition.js';
import { LineSplitter } from './line-splitter.js';
import { LOG_MODE, LogPlace, RotatingFile, shiftOlder } from './log-file.js';
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
  return outlives ? new DirectLog(definition, failed) : new PipedLog(definition, failed);
}

/** By way of this program. */
class PipedLog implements Log {
  readonly #service: string;
  readonly #listeners = new Set<(line: LogLine) => void>();
  readonly #file: RotatingFile | null = null;
  /** The streams that may still say something. */
  readonly #open = new Set<Promise<void>>();

  constructor({ name, log, jail }: Definition, failed: (error: Error) => void) {
    this.#service = name;
    if (typeof log === 'function') this.#listeners.add(log);
    else if (log !== null) this.#file = new RotatingFile(log, jail).on('error', failed);
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
  readonly #place: LogPlace | null;
  readonly #failed: (error: Error) => void;
  readonly #timer: NodeJS.Timeout | null;
  #descriptor: number | null = null;

  constructor({ name, log, jail }: Definition, failed: (error: Error) => void) {
    const options = typeof log === 'function' ? null : log;
    this.#service = name;
    this.#options = options;
    this.#place = options === null ? null : new LogPlace(options.file, jail);
    this.#failed = failed;
    this.#timer = options === null ? null : setInterval(() => this.#rotate(), ROTATION_MS);
    this.#timer?.unref();
  }

  async stdio(): Promise<StdioOptions> {
    if (this.#place === null) return 'ignore';
    const descriptor = this.#place.open();
    this.#descriptor = descriptor;
    return ['ignore', descriptor, descriptor];
  }

  attach(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) closeSync(descriptor);
  }

  listen(listener: (line: LogLine) => void): () => void {
    const place = this.#place;
    if (place === null) return () => {};
    const stop = new AbortController();
    const tell = (text: string) => listener({ service: this.#service, stream: 'stdout', text });
    follow(place, sizeOf(place), new LineSplitter(tell), stop.signal).catch(this.#failed);
    return () => stop.abort();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.attach();
  }

  #rotate(): void {
    if (this.#options === null || this.#place === null) return;
    const { maxBytes, keep } = this.#options;
    const { name } = this.#place;
    try {
      this.#place.within((folder) => {
        if ((folder.lstat(name)?.size ?? 0) <= maxBytes) return;
        shiftOlder(folder, name, keep);
        moveContent(folder, name, keep > 0 ? `${name}.1` : null);
      });
    } catch (error) {
      const told = sameLinkError(error as NodeJS.ErrnoException);
      if (told.code !== 'ENOENT') this.#failed(told);
    }
  }
}

// In one turn of the event loop, since what is written between the two is lost. By a descriptor: who may write to the log's
// folder may put a link in its place.
function moveContent(folder: GuardedFolder, name: string, to: string | null): void {
  const fd = folder.openFile(name, constants.O_RDWR);
  try {
    if (to !== null) copyContent(fd, folder, to);
    ftruncateSync(fd);
  } finally {
    closeSync(fd);
  }
}

function copyContent(from: number, folder: GuardedFolder, to: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const buffer = Buffer.alloc(COPY_BYTES);
  const fd = folder.openFile(to, O_WRONLY | O_CREAT | O_EXCL, LOG_MODE);
  try {
    for (let at = 0, read = 1; read > 0; at += read) {
      read = readSync(from, buffer, 0, buffer.length, at);
      writeFileSync(fd, buffer.subarray(0, read));
    }
  } finally {
    closeSync(fd);
  }
}

// None of a file that is not there yet, or is none.
function sizeOf(place: LogPlace): number {
  try {
    return place.within((folder) => folder.lstat(place.name)?.size ?? 0);
  } catch {
    return 0;
  }
}

async function follow(
  place: LogPlace,
  start: number,
  lines: LineSplitter,
  signal: AbortSignal,
): Promise<void> {
  const buffer = Buffer.alloc(64 * 1024);
  for (let position = start; !signal.aborted; await sleep(POLL_MS)) {
    const bytes = readFrom(place, position, buffer);
    position += bytes;
    lines.push(Buffer.from(buffer.subarray(0, bytes)));
  }
}

function readFrom(place: LogPlace, position: number, buffer: Buffer): number {
  let fd: number | null = null;
  try {
    fd = place.within((folder) => folder.openFile(place.name, constants.O_RDONLY));
    return readSync(fd, buffer, 0, buffer.length, position);
  } catch {
    return 0; // it is not there yet, or something else is in its place
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
