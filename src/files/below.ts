import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { constants as osConstants, type as osType } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type AtCalls, atCalls, type NameStats } from './at.js';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY, S_IFLNK, S_IFMT } = constants;
// Enough to search a directory, which may be unreadable. Linux only, where node:fs has no name for it.
const O_PATH = 0o10000000;
const SEARCH = O_DIRECTORY | O_NOFOLLOW | (osType() === 'Linux' ? O_PATH : O_RDONLY);
// More is a circle, says the kernel as well.
const MAX_LINKS = 40;
// A fifo does not stop us, and nothing becomes our terminal.
const CAREFULLY = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/**
 * A directory of the host's in which files are opened, renamed and removed by name, although somebody in a jail may be
 * able to change what is there: the way to it and everything in it.
 *
 * The way is walked descriptor by descriptor. From the first directory on that a jail can change, no link is followed.
 */
export class GuardedFolder {
  readonly #descriptor: number;
  readonly #calls: AtCalls;

  private constructor(
    readonly path: string,
    /** Is it where somebody in a jail can change things? */
    readonly isChangeable: boolean,
    descriptor: number,
    calls: AtCalls,
  ) {
    this.#descriptor = descriptor;
    this.#calls = calls;
  }

  /**
   * Opens a directory.
   *
   * @param path where it is
   * @param changeable directories that jails can change: their roots, and what they share
   * @param calls other ones only in tests
   * @throws what open(2) says: `ELOOP` or `ENOTDIR` for a link where none is followed
   */
  static open(
    path: string,
    changeable: readonly string[],
    calls: AtCalls = atCalls,
  ): GuardedFolder {
    const walk = new Walk(resolve(path), identitiesOf(changeable), calls);
    const descriptor = walk.go();
    return new GuardedFolder(path, walk.isGuarded, descriptor, calls);
  }

  /** The same, without an end to be remembered: the directory is closed after the work. */
  static with<T>(
    path: string,
    changeable: readonly string[],
    work: (folder: GuardedFolder) => T,
  ): T {
    const folder = GuardedFolder.open(path, changeable);
    try {
      return work(folder);
    } finally {
      folder.close();
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /**
   * Opens a regular file, or makes it where the flags say so. Never a link, a device, a fifo; never a file that has a
   * second name or is somebody else's, which could be any file of the host.
   *
   * @param name of the file
   * @param flags of open(2)
   * @param mode for a new file
   * @returns a descriptor
   * @throws what open(2) says; {@link PlantedFile}
   */
  openFile(name: string, flags: number, mode = 0): number {
    const descriptor = this.#open(name, flags, mode);
    try {
      assertOwnFile(descriptor, `${this.path}/${name}`);
      return descriptor;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  lstat(name: string): NameStats | null {
    return this.#calls.lstat(this.#descriptor, name);
  }

  /** Opens a regular file to be read, whosever it is. */
  openToRead(name: string): number {
    const descriptor = this.#open(name, O_RDONLY, 0);
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
    throw new PlantedFile('is no regular file', `${this.path}/${name}`);
  }

  /** Renames within the directory; false: there is no such name. */
  rename(oldName: string, newName: string): boolean {
    const folder = this.#descriptor;
    return unlessMissing(() => this.#calls.rename(folder, oldName, folder, newName));
  }

  /** Removes a name that is no directory's; false: there is none. */
  remove(name: string): boolean {
    return unlessMissing(() => this.#calls.unlink(this.#descriptor, name));
  }

  #open(name: string, flags: number, mode: number): number {
    try {
      return this.#calls.open(this.#descriptor, name, flags | CAREFULLY, mode);
    } catch (error) {
      const code = codeOf(error);
      // A link is EMLINK on DragonFly; a socket, and a fifo without a reader, cannot be opened: both are no file.
      if (code === 'EMLINK') throw systemError('ELOOP', `${this.path}/${name}`);
      if (code === 'ENXIO') throw new PlantedFile('is no regular file', `${this.path}/${name}`);
      throw error;
    }
  }
}

/** A file that is not what was left there: somebody may have planted it. */
export class PlantedFile extends Error {
  override readonly name = 'PlantedFile';
  readonly code = 'EPERM';
  readonly errno = -osConstants.errno.EPERM;
  readonly syscall = 'open';

  /**
   * @param problem what is wrong with it
   * @param path where it is
   */
  constructor(
    readonly problem: string,
    readonly path: string,
  ) {
    super(`EPERM: ${path} ${problem}: somebody may have put it there; look at it, and remove it`);
  }
}

/**
 * Opens a file by its path, as {@link GuardedFolder.openFile} does.
 *
 * @param path where it is
 * @param changeable directories that jails can change
 * @param flags of open(2)
 * @param mode for a new file
 * @returns a descriptor
 */
export function openGuarded(
  path: string,
  changeable: readonly string[],
  flags: number,
  mode = 0,
): number {
  const file = resolve(path);
  return GuardedFolder.with(dirname(file), changeable, (folder) =>
    folder.openFile(nameOf(file), flags, mode),
  );
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** One way from the host's root directory to another one. */
class Walk {
  #folder = openSync('/', SEARCH);
  #guarded = false;
  #links = 0;
  readonly #rest: string[];

  constructor(
    private readonly path: string,
    private readonly changeable: ReadonlySet<string>,
    private readonly calls: AtCalls,
  ) {
    this.#rest = namesOf(path).reverse();
  }

  /** Is it where somebody in a jail can change things? */
  get isGuarded(): boolean {
    return this.#guarded;
  }

  /** A descriptor of the end. */
  go(): number {
    try {
      this.#look();
      for (let name = this.#rest.pop(); name !== undefined; name = this.#rest.pop()) {
        this.#step(name);
      }
      return this.#folder;
    } catch (error) {
      closeSync(this.#folder);
      throw error;
    }
  }

  #step(name: string): void {
    if (name === '..' && this.#guarded) throw systemError('ELOOP', this.path);
    const stats = this.calls.lstat(this.#folder, name);
    if (stats !== null && (stats.mode & S_IFMT) === S_IFLNK) this.#follow(name);
    else this.#down(this.calls.open(this.#folder, name, SEARCH));
  }

  #follow(name: string): void {
    if (this.#guarded || ++this.#links > MAX_LINKS) throw systemError('ELOOP', this.path);
    const text = this.calls.readlink(this.#folder, name);
    this.#rest.push(...namesOf(text).reverse());
    if (text.startsWith('/')) this.#down(openSync('/', SEARCH));
  }

  #down(folder: number): void {
    closeSync(this.#folder);
    this.#folder = folder;
    this.#look();
  }

  #look(): void {
    this.#guarded ||= this.changeable.has(identityOf(fstatSync(this.#folder)));
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

function identitiesOf(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.flatMap(identityAt));
}

// None of what is not there, or not for this user to see.
function identityAt(path: string): string[] {
  try {
    return [identityOf(statSync(path))];
  } catch {
    return [];
  }
}

function assertOwnFile(descriptor: number, path: string): void {
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) throw new PlantedFile('is no regular file', path);
  if (stats.nlink !== 1) throw new PlantedFile('has a second name somewhere else', path);
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.()) {
    throw new PlantedFile('belongs to somebody else', path);
  }
}

function unlessMissing(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return String(Reflect.get(Object(error), 'code'));
}

function systemError(code: 'ELOOP', path: string): Error {
  const errno = -osConstants.errno[code];
  return Object.assign(new Error(`${code}: a symbolic link, open '${path}'`), {
    code,
    errno,
    syscall: 'open',
    path,
  });
}
