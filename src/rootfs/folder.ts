import { randomUUID } from 'node:crypto';
import { constants, existsSync, type Stats } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import { rootError, rootFailure } from './root-error.js';

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

// With it, names are looked up from an open directory, as openat(2) does; Node has no other way to that.
const byDescriptor = existsSync('/proc/self/fd');

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
  readonly #handle: FileHandle;

  private constructor(
    readonly path: string,
    handle: FileHandle,
  ) {
    this.#handle = handle;
  }

  /** Opens a directory by an absolute path, links in the path included: the caller chose it. */
  static async open(path: string): Promise<Folder> {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch((error) => {
      throw rootError(error, path);
    });
    return new Folder(path, handle);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** The names in it. */
  async names(): Promise<string[]> {
    return this.#attempt('.', () => readdir(this.#at('.')));
  }

  /** Opens the directory `name` in it, made with `mode` when there is none. */
  async folder(name: string, mode = 0o755): Promise<Folder> {
    const made = await this.#attempt(name, () => this.#make(name));
    const handle = await this.#attempt(name, () => open(this.#at(name), OPEN_FOLDER));
    const folder = new Folder(join(this.path, name), handle);
    if (made) {
      await folder.chmod(mode);
    }
    return folder;
  }

  /** Opens the directory `name` in it, which must be there. */
  async existing(name: string): Promise<Folder> {
    const handle = await this.#attempt(name, () => open(this.#at(name), OPEN_FOLDER));
    return new Folder(join(this.path, name), handle);
  }

  /** Sets its mode whatever the umask. */
  async chmod(mode: number): Promise<void> {
    await this.#attempt('.', () => this.#handle.chmod(mode));
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
        await rename(this.#at(draft), this.#at(name));
      } catch (error) {
        await rm(this.#at(draft), { force: true });
        throw error;
      }
    });
  }

  /** Makes `name` a symbolic link with this text, in the place of another link or of an empty directory. */
  async link(name: string, text: string): Promise<void> {
    await this.#attempt(name, async () => {
      if (await this.#linked(name, text)) return;
      await this.#clear(name);
      if (await this.#linked(name, text)) return;
      throw rootFailure('EEXIST', 'symlink', join(this.path, name));
    });
  }

  /** What stands at a name: null for nothing. */
  async kindOf(name: string): Promise<'file' | 'folder' | 'link' | 'other' | null> {
    const stats = await this.#attempt(name, () => lstatOrNull(this.#at(name)));
    if (stats === null) return null;
    if (stats.isSymbolicLink()) return 'link';
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other';
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
    const how = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
    try {
      await copyFile(source, this.#at(name), how);
    } catch (error) {
      throw rootError(error, source);
    }
    await this.#settle(name, OPEN_FILE, mode, owner);
  }

  /** Makes a hard link to a file; false where that cannot be. */
  async hardLink(name: string, source: string): Promise<boolean> {
    try {
      await link(source, this.#at(name));
      return true;
    } catch (error) {
      if (NO_HARD_LINK.includes(codeOf(error) ?? '')) return false;
      throw rootError(error, source);
    }
  }

  /** The same for a file of another directory. */
  async hardLinkTo(name: string, folder: Folder, fileName: string): Promise<boolean> {
    return this.hardLink(name, folder.#at(fileName));
  }

  /** Makes a new symbolic link. */
  async symlink(name: string, text: string): Promise<void> {
    await this.#attempt(name, () => symlink(text, this.#at(name)));
  }

  /** Moves something of another directory of the same file system here, over what is in its place. */
  async take(name: string, from: Folder, oldName: string): Promise<void> {
    await this.#attempt(name, () => rename(from.#at(oldName), this.#at(name)));
  }

  /** Takes a file or a link away, if it is there. */
  async remove(name: string): Promise<void> {
    await this.#attempt(name, () => unlink(this.#at(name))).catch((error) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }

  /** Takes an empty directory away; false when something is in it, or it is none. */
  async removeFolder(name: string): Promise<boolean> {
    try {
      await rmdir(this.#at(name));
      return true;
    } catch {
      return false;
    }
  }

  /** Takes a symbolic link of that name away, so that a directory can be made in its place. */
  async unlinkIfLink(name: string): Promise<void> {
    if ((await this.#textOf(name)) !== null) {
      await this.#attempt(name, () => unlink(this.#at(name)));
    }
  }

  /** Gives a new file or directory its owner and its mode: in this order, since the first takes bits of the second. */
  async #settle(name: string, flags: number, mode: number, owner: FileOwner | null): Promise<void> {
    await this.#attempt(name, async () => {
      const handle = await open(this.#at(name), flags);
      try {
        if (owner !== null) await giveAway(handle, owner);
        await handle.chmod(mode);
      } finally {
        await handle.close();
      }
    });
  }

  #at(name: string): string {
    return join(byDescriptor ? `/proc/self/fd/${this.#handle.fd}` : this.path, name);
  }

  async #make(name: string): Promise<boolean> {
    try {
      await mkdir(this.#at(name), 0o700);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') {
        return false;
      }
      throw error;
    }
  }

  async #create(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const file = await open(this.#at(name), NEW_FILE, 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
    } finally {
      await file.close();
    }
  }

  /** Makes the link, or finds it made; false when something else is in its place. */
  async #linked(name: string, text: string): Promise<boolean> {
    try {
      await symlink(text, this.#at(name));
      return true;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return (await this.#textOf(name)) === text;
    }
  }

  async #textOf(name: string): Promise<string | null> {
    try {
      return await readlink(this.#at(name));
    } catch {
      return null;
    }
  }

  async #clear(name: string): Promise<void> {
    if ((await this.#textOf(name)) !== null) {
      await rm(this.#at(name), { force: true });
      return;
    }
    await rmdir(this.#at(name)).catch((error) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }

  async #attempt<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw rootError(error, join(this.path, name));
    }
  }
}

async function giveAway(handle: FileHandle, { uid, gid }: FileOwner): Promise<void> {
  const now = await handle.stat();
  await handle.chown(uid ?? now.uid, gid ?? now.gid);
}

async function lstatOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
