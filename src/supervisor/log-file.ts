import { appendFile as appendFileCallback, closeSync, constants, fstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { GuardedFolder, nameOf } from '../files/below.js';
import { type Changing, changeableBy } from '../files/changeable.js';
import type { LogFile } from './service-spec.js';

const { O_APPEND, O_CREAT, O_WRONLY } = constants;
export const LOG_MODE = 0o640;

const appendFile = promisify(appendFileCallback);

/**
 * Where a log and its older parts are. A jail may be able to write there: its own root is a place for a service's log, and
 * so is what it shares with others. So all is done by names in an open directory, and no link is followed to it.
 */
export class LogPlace {
  readonly name: string;
  readonly #folder: string;
  readonly #jail: Changing;

  /**
   * @param file the log
   * @param jail whose log it is
   */
  constructor(
    readonly file: string,
    jail: Changing,
  ) {
    this.name = nameOf(file);
    this.#folder = dirname(file);
    this.#jail = jail;
  }

  /** Does something in the log's directory. */
  within<T>(work: (folder: GuardedFolder) => T): T {
    return GuardedFolder.with(this.#folder, changeableBy([this.#jail]), work);
  }

  /**
   * Opens the log for appending.
   *
   * @returns a descriptor
   * @throws the error of open(2): `ELOOP` for a symbolic link; `EPERM`: it is no file of ours
   */
  open(): number {
    return this.within((folder) =>
      folder.openFile(this.name, O_WRONLY | O_APPEND | O_CREAT, LOG_MODE),
    );
  }
}

/** Makes room for `name.1`: it becomes `name.2`, and so on; the oldest of `keep` goes. */
export function shiftOlder(folder: GuardedFolder, name: string, keep: number): void {
  if (keep === 0) return;
  folder.remove(`${name}.${keep}`);
  for (let number = keep - 1; number > 0; number--) {
    folder.rename(`${name}.${number}`, `${name}.${number + 1}`);
  }
}

/** A log that is moved aside when it has grown. Nothing that was written to it is lost. */
export class RotatingFile extends Writable {
  readonly #options: Required<LogFile>;
  readonly #place: LogPlace;
  #descriptor: number | null = null;
  #size = 0;

  /**
   * @param options of the log
   * @param jail whose log it is
   */
  constructor(options: Required<LogFile>, jail: Changing) {
    super({ highWaterMark: 256 * 1024 });
    this.#options = options;
    this.#place = new LogPlace(options.file, jail);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#append(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#close();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#close();
    done(error);
  }

  async #append(chunk: Buffer): Promise<void> {
    let descriptor = this.#descriptor ?? this.#open();
    if (this.#size > 0 && this.#size + chunk.length > this.#options.maxBytes) {
      this.#close();
      this.#moveAside();
      descriptor = this.#open();
    }
    await appendFile(descriptor, chunk);
    this.#size += chunk.length;
  }

  #moveAside(): void {
    const { name } = this.#place;
    const { keep } = this.#options;
    this.#place.within((folder) => {
      shiftOlder(folder, name, keep);
      if (keep === 0) folder.remove(name);
      else folder.rename(name, `${name}.1`);
    });
  }

  #open(): number {
    const descriptor = this.#place.open();
    this.#size = fstatSync(descriptor).size;
    this.#descriptor = descriptor;
    return descriptor;
  }

  #close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) closeSync(descriptor);
  }
}
