import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  writeFile as writeFileCallback,
} from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { atCalls, hasDescriptorPaths } from '../files/at.js';
import { rootError, rootFailure } from './root-error.js';

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const COPY_BYTES = 1 << 20;
const { S_IFMT, S_IFLNK, S_IFDIR, S_IFREG } = constants;

const writeFile = promisify(writeFileCallback);

// Another file system, one without hard links, a file with the most that it may have, or one that is not ours.
const NO_HARD_LINK = ['EXDEV', 'EMLINK', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Whose something is, in numbers; null leaves it as it is. */
export interface FileOwner {
  readonly uid: number | null;
  readonly gid: number | null;
}

/**
 * An open directory below which nothing is reached through a symbolic link.
 *
 * A root that was used before is the work of the jail's root as well: it may have put a link to the
 * host's /etc where the root's own was, hoping that the next preparation writes there.
 */
export class Folder {
  readonly #descriptor: number;

  private constructor(
    readonly path: string,
    descriptor: number,
  ) {
    this.#descriptor = descriptor;
  }

  /** Opens a directory by an absolute path, links in the path included: the caller chose it. */
  static async open(path: string): Promise<Folder> {
    try {
      return new Folder(path, openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      throw rootError(error, path);
    }
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor);
  }

  /** The names in it. */
  async names(): Promise<string[]> {
    return this.#attempt('.', () => atCalls.names(this.#descriptor));
  }

  /** Opens the directory `name` in it, made with `mode` when there is none. */
  async folder(name: string, mode = 0o755): Promise<Folder> {
    const made = await this.#attempt(name, () => this.#make(name));
    const folder = await this.existing(name);
    if (made) {
      await folder.chmod(mode);
    }
    return folder;
  }

  /** Opens the directory `name` in it, which must be there. */
  async existing(name: string): Promise<Folder> {
    const descriptor = await this.#attempt(name, () => this.#open(name, OPEN_FOLDER));
    return new Folder(join(this.path, name), descriptor);
  }

  /** Sets its mode whatever the umask. */
  async chmod(mode: number): Promise<void> {
    await this.#attempt('.', () => fchmodSync(this.#descriptor, mode));
  }

  /** Writes a new file; one that exists, whatever it is, is left as it is. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    try {
      await this.#create(name, content);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw rootError(error, join(this.path, name));
      }
    }
  }

  /** Writes a file in the place of an earlier one, at once for those that read it. */
  async replace(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const draft = `.${name}.${randomUUID()}.new`;
    await this.#attempt(name, async () => {
      try {
        await this.#create(draft, content, mode);
        atCalls.rename(this.#descriptor, draft, this.#descriptor, name);
      } catch (error) {
        this.#unlinkQuietly(draft);
        throw error;
      }
    });
  }

  /** Makes `name` a symbolic link with this text, in the place of another link or of an empty directory. */
  async link(name: string, text: string): Promise<void> {
    await this.#attempt(name, async () => {
      if (this.#linked(name, text)) return;
      this.#clear(name);
      if (this.#linked(name, text)) return;
      throw rootFailure('EEXIST', 'symlink', join(this.path, name));
    });
  }

  /** What stands at a name: null for nothing. */
  async kindOf(name: string): Promise<'file' | 'folder' | 'link' | 'other' | null> {
    const stats = await this.#attempt(name, () => atCalls.lstat(this.#descriptor, name));
    if (stats === null) return null;
    const type = stats.mode & S_IFMT;
    if (type === S_IFLNK) return 'link';
    return type === S_IFDIR ? 'folder' : type === S_IFREG ? 'file' : 'other';
  }

  /** The text of a symbolic link; null where there is none. */
  async linkText(name: string): Promise<string | null> {
    return this.#textOf(name);
  }

  /** Makes a new directory; false when there is one. Anything else in its place is an error. */
  async makeFolder(name: string, mode: number, owner: FileOwner | null): Promise<boolean> {
    if (!(await this.#attempt(name, () => this.#make(name)))) {
      await (await this.folder(name)).close();
      return false;
    }
    await this.#settle(name, OPEN_FOLDER, mode, owner);
    return true;
  }

  /** Makes a new file with this in it. */
  async create(
    name: string,
    content: string | Uint8Array,
    mode: number,
    owner: FileOwner | null,
  ): Promise<void> {
    await this.#attempt(name, () => this.#create(name, content));
    await this.#settle(name, OPEN_FILE, mode, owner);
  }

  /** Makes a new file that is a copy of another one, errors are about that. */
  async copy(name: string, source: string, mode: number, owner: FileOwner | null): Promise<void> {
    try {
      await (hasDescriptorPaths ? this.#clone(name, source) : this.#copy(name, source));
    } catch (error) {
      throw rootError(error, source);
    }
    await this.#settle(name, OPEN_FILE, mode, owner);
  }

  /** Makes a hard link to a file; false where that cannot be. */
  async hardLink(name: string, source: string): Promise<boolean> {
    const above = await Folder.open(dirname(source)).catch((error) => {
      if (NO_HARD_LINK.includes(codeOf(error) ?? '')) return null;
      throw error;
    });
    try {
      return above !== null && (await this.hardLinkTo(name, above, basename(source)));
    } finally {
      await above?.close();
    }
  }

  /** The same for a file of another directory. */
  async hardLinkTo(name: string, folder: Folder, fileName: string): Promise<boolean> {
    try {
      atCalls.link(folder.#descriptor, fileName, this.#descriptor, name);
      return true;
    } catch (error) {
      if (NO_HARD_LINK.includes(codeOf(error) ?? '')) return false;
      throw rootError(error, join(folder.path, fileName));
    }
  }

  /** Makes a new symbolic link. */
  async symlink(name: string, text: string): Promise<void> {
    await this.#attempt(name, () => atCalls.symlink(text, this.#descriptor, name));
  }

  /** Moves something of another directory of the same file system here, over what is in its place. */
  async take(name: string, from: Folder, oldName: string): Promise<void> {
    await this.#attempt(name, () =>
      atCalls.rename(from.#descriptor, oldName, this.#descriptor, name),
    );
  }

  /** Takes a file or a link away, if it is there. */
  async remove(name: string): Promise<void> {
    await this.#attempt(name, () => atCalls.unlink(this.#descriptor, name)).catch((error) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }

  /** Takes an empty directory away; false when something is in it, or it is none. */
  async removeFolder(name: string): Promise<boolean> {
    try {
      atCalls.rmdir(this.#descriptor, name);
      return true;
    } catch {
      return false;
    }
  }

  /** Takes a symbolic link of that name away, so that a directory can be made in its place. */
  async unlinkIfLink(name: string): Promise<void> {
    if (this.#textOf(name) !== null) {
      await this.#attempt(name, () => atCalls.unlink(this.#descriptor, name));
    }
  }

  /** Gives a new file or directory its owner and its mode: in this order, since the first takes bits of the second. */
  async #settle(name: string, flags: number, mode: number, owner: FileOwner | null): Promise<void> {
    await this.#attempt(name, () => {
      const descriptor = this.#open(name, flags);
      try {
        if (owner !== null) giveAway(descriptor, owner);
        fchmodSync(descriptor, mode);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  #open(name: string, flags: number, mode = 0): number {
    return atCalls.open(this.#descriptor, name, flags, mode);
  }

  #make(name: string): boolean {
    try {
      atCalls.mkdir(this.#descriptor, name, 0o700);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') {
        return false;
      }
      throw error;
    }
  }

  async #create(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const descriptor = this.#open(name, NEW_FILE, 0o600);
    try {
      await writeFile(descriptor, content);
      fchmodSync(descriptor, mode);
    } finally {
      closeSync(descriptor);
    }
  }

  // Where the file system can share the content, it does.
  async #clone(name: string, source: string): Promise<void> {
    const how = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
    await copyFile(source, `/proc/self/fd/${this.#descriptor}/${name}`, how);
  }

  async #copy(name: string, source: string): Promise<void> {
    const from = await open(source, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const to = this.#open(name, NEW_FILE, 0o600);
      try {
        const buffer = Buffer.alloc(COPY_BYTES);
        for (let read = 1; read > 0; ) {
          read = (await from.read(buffer, 0, buffer.length, null)).bytesRead;
          await writeFile(to, buffer.subarray(0, read));
        }
      } finally {
        closeSync(to);
      }
    } finally {
      await from.close();
    }
  }

  /** Makes the link, or finds it made; false when something else is in its place. */
  #linked(name: string, text: string): boolean {
    try {
      atCalls.symlink(text, this.#descriptor, name);
      return true;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return this.#textOf(name) === text;
    }
  }

  #textOf(name: string): string | null {
    try {
      return atCalls.readlink(this.#descriptor, name);
    } catch {
      return null;
    }
  }

  #clear(name: string): void {
    if (this.#textOf(name) !== null) {
      this.#unlinkQuietly(name);
      return;
    }
    try {
      atCalls.rmdir(this.#descriptor, name);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  #unlinkQuietly(name: string): void {
    try {
      atCalls.unlink(this.#descriptor, name);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  async #attempt<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw rootError(error, join(this.path, name));
    }
  }
}

function giveAway(descriptor: number, { uid, gid }: FileOwner): void {
  const now = fstatSync(descriptor);
  fchownSync(descriptor, uid ?? now.uid, gid ?? now.gid);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
