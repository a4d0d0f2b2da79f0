import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { sameLinkError } from '../link-error.js';
import type { LogFile } from './service-spec.js';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
export const LOG_MODE = 0o640;

/**
 * Opens a log for appending. Never a symbolic link: whoever may write to the log's folder must not choose the file.
 *
 * @throws the error of open(2): `ELOOP` for a symbolic link
 */
export async function openLog(file: string): Promise<FileHandle> {
  try {
    return await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, LOG_MODE);
  } catch (error) {
    throw sameLinkError(error);
  }
}

/** Makes room for `file.1`: it becomes `file.2`, and so on; the oldest of `keep` goes. */
export async function shiftOlder(file: string, keep: number): Promise<void> {
  if (keep === 0) return;
  await rm(`${file}.${keep}`, { force: true });
  for (let number = keep - 1; number > 0; number--) {
    await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(ignoreMissing);
  }
}

/** A log that is moved aside when it has grown. Nothing that was written to it is lost. */
export class RotatingFile extends Writable {
  readonly #options: Required<LogFile>;
  #handle: FileHandle | null = null;
  #size = 0;

  constructor(options: Required<LogFile>) {
    super({ highWaterMark: 256 * 1024 });
    this.#options = options;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#append(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#close().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#close().then(() => done(error), done);
  }

  async #append(chunk: Buffer): Promise<void> {
    const { file, maxBytes, keep } = this.#options;
    let handle = this.#handle ?? (await this.#open());
    if (this.#size > 0 && this.#size + chunk.length > maxBytes) {
      await this.#close();
      await shiftOlder(file, keep);
      await (keep === 0 ? rm(file, { force: true }) : rename(file, `${file}.1`));
      handle = await this.#open();
    }
    await handle.appendFile(chunk);
    this.#size += chunk.length;
  }

  async #open(): Promise<FileHandle> {
    const handle = await openLog(this.#options.file);
    this.#size = (await handle.stat()).size;
    this.#handle = handle;
    return handle;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
