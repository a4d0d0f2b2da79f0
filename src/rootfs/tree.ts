import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { atCalls, hasDescriptorPaths, type NameStats } from '../files/at.js';
import type { Budget } from './budget.js';
import type { ByteSource } from './elf/bytes.js';
import { rootError, rootFailure } from './root-error.js';

/** A symbolic link that was met on the way to something. */
export interface MetLink {
  /** Where it is in the tree, without links before it. */
  readonly path: string;
  readonly text: string;
}

/** What a path of a tree leads to. */
export interface Place {
  /** Its path in the tree, without links. */
  readonly path: string;
  /** The links that led there, in their order. */
  readonly links: readonly MetLink[];
  readonly kind: 'file' | 'directory' | 'other';
  /** Permissions, with the set-user-id and sticky bits. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
}

// More is a circle, says the kernel as well.
const MAX_LINKS = 40;
// Enough to search a directory, which may be unreadable. Linux only, where node:fs has no name for it.
const O_PATH = 0o10000000;
const SEARCH_FOLDER =
  constants.O_DIRECTORY | constants.O_NOFOLLOW | (hasDescriptorPaths ? O_PATH : constants.O_RDONLY);
// A fifo does not stop us, and nothing becomes our terminal.
const READ_FILE =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const { S_IFMT, S_IFLNK, S_IFDIR, S_IFREG } = constants;

/** The end of a way: a name in an open directory, `.` for the directory itself. */
interface End {
  readonly folder: number;
  readonly name: string;
  readonly place: Place;
}

/**
 * The files below a directory as somebody sees them whose root it is: links lead to places in it, never out.
 *
 * Calls are synchronous: each looks at a few names, and a program needs dozens of them in a row.
 */
export class Tree {
  readonly #root: number;
  /** Of whoever looks at a root that is not trusted: what each name costs, and a link, counts. */
  budget: Budget | null = null;

  private constructor(
    readonly path: string,
    root: number,
  ) {
    this.#root = root;
  }

  /** Opens the directory, links on the way to it included: the caller chose it. @throws JailSystemError step `root` */
  static open(path: string): Tree {
    try {
      return new Tree(path, openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      throw rootError(error, path);
    }
  }

  close(): void {
    closeSync(this.#root);
  }

  /**
   * Follows a path of the tree.
   *
   * @returns null when nothing is there
   * @throws JailSystemError step `root`: `ELOOP`, `EACCES`, …
   */
  find(path: string): Place | null {
    return this.#walk(path, ({ place }) => place);
  }

  /** As {@link find}, null for what is no regular file. */
  findFile(path: string): Place | null {
    const place = this.find(path);
    return place?.kind === 'file' ? place : null;
  }

  /**
   * Reads a regular file.
   *
   * @param path what to read
   * @param work what to do with it
   * @throws JailSystemError step `root`: `ENOENT` where there is none
   */
  read<T>(path: string, work: (source: ByteSource) => T): T {
    const found = this.#walk(path, ({ folder, name, place }) => {
      if (place.kind !== 'file') return null;
      return { value: this.#attempt(path, () => readOpen(folder, name, work)) };
    });
    if (found === null) throw rootFailure('ENOENT', 'open', join(this.path, path));
    return found.value;
  }

  /** The text of a file of at most `limit` bytes; null where there is none, or a longer one. */
  text(path: string, limit = 1 << 20): string | null {
    const place = this.findFile(path);
    if (place === null || place.size > limit) return null;
    return this.read(path, (source) =>
      Buffer.from(source.read(0, Math.min(source.size, limit))).toString(),
    );
  }

  /** The text of the symbolic link that is the last part of a path; null where there is none. */
  linkText(path: string): string | null {
    const folder = path.slice(0, path.lastIndexOf('/'));
    const name = path.slice(folder.length + 1);
    return this.#walk(folder, (end) => {
      if (end.place.kind !== 'directory') return null;
      return this.#attempt(path, () => linkText(end.folder, name));
    });
  }

  /** The names in a directory, sorted; none where there is no such directory. */
  names(path: string): string[] {
    const names = this.#walk(path, ({ folder, place }) => {
      if (place.kind !== 'directory') return null;
      return this.#attempt(path, () => namesIn(folder, path === '/'));
    });
    return names ?? [];
  }

  /** Goes to the path, and does the work with the name by which it can be opened there. */
  #walk<T>(path: string, work: (end: End) => T): T | null {
    const walk = new Walk(this.#root, path, this.budget);
    try {
      const end = this.#attempt(path, () => walk.go());
      return end === null ? null : work(end);
    } finally {
      walk.close();
    }
  }

  #attempt<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw rootError(error, join(this.path, path));
    }
  }
}

/** One way through a tree, from its root to an end. */
class Walk {
  readonly #folders: { readonly name: string; readonly descriptor: number }[] = [];
  readonly #links: MetLink[] = [];
  readonly #rest: string[];

  constructor(
    private readonly root: number,
    private readonly path: string,
    private readonly budget: Budget | null,
  ) {
    this.#rest = namesOf(path).reverse();
  }

  go(): End | null {
    for (;;) {
      this.budget?.spend();
      const name = this.#rest.pop();
      if (name === undefined) return this.#folderEnd();
      if (name === '..') {
        this.#up();
        continue;
      }
      const folder = this.#folder();
      const stats = atCalls.lstat(folder, name);
      if (stats === null) return null;
      const type = stats.mode & S_IFMT;
      if (type === S_IFLNK) this.#follow(name, atCalls.readlink(folder, name));
      else if (type === S_IFDIR) this.#down(name, folder);
      else return this.#rest.length > 0 ? null : { folder, name, place: this.#place(name, stats) };
    }
  }

  close(): void {
    for (const { descriptor } of this.#folders.splice(0)) closeSync(descriptor);
  }

  #folderEnd(): End | null {
    const folder = this.#folder();
    const stats = atCalls.lstat(folder, '.');
    return stats && { folder, name: '.', place: this.#place('', stats) };
  }

  #down(name: string, folder: number): void {
    this.#folders.push({ name, descriptor: atCalls.open(folder, name, SEARCH_FOLDER) });
  }

  #up(): void {
    const last = this.#folders.pop();
    if (last !== undefined) closeSync(last.descriptor);
  }

  #follow(name: string, text: string): void {
    if (this.#links.length >= MAX_LINKS) throw rootFailure('ELOOP', 'open', this.path);
    this.#links.push({ path: this.#named(name), text });
    if (text.startsWith('/')) this.close();
    this.#rest.push(...namesOf(text).reverse());
  }

  #named(name: string): string {
    const names = this.#folders.map((folder) => folder.name);
    return `/${[...names, ...(name === '' ? [] : [name])].join('/')}`;
  }

  #folder(): number {
    return this.#folders.at(-1)?.descriptor ?? this.root;
  }

  #place(name: string, { size, mode }: NameStats): Place {
    const type = mode & S_IFMT;
    const kind = type === S_IFREG ? 'file' : type === S_IFDIR ? 'directory' : 'other';
    return { path: this.#named(name), links: this.#links, kind, mode: mode & 0o7777, size };
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function namesIn(folder: number, isRoot: boolean): string[] {
  const names = atCalls.names(folder);
  return (isRoot ? names.filter((name) => name !== 'lost+found') : names).sort();
}

function linkText(folder: number, name: string): string | null {
  const stats = atCalls.lstat(folder, name);
  if (stats === null || (stats.mode & S_IFMT) !== S_IFLNK) return null;
  return atCalls.readlink(folder, name);
}

function readOpen<T>(folder: number, name: string, work: (source: ByteSource) => T): T {
  const descriptor = atCalls.open(folder, name, READ_FILE);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw rootFailure('ENOENT', 'open', name);
    return work({ size: stats.size, read: (offset, length) => readAt(descriptor, offset, length) });
  } finally {
    closeSync(descriptor);
  }
}

function readAt(descriptor: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
