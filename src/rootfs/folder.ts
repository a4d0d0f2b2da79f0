import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import {
  type FileHandle,
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
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

// With it, names are looked up from an open directory, as openat(2) does; Node has no other way to that.
const byDescriptor = existsSync('/proc/self/fd');

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
  async replace(name: string, content: string | Uint8Array): Promise<void> {
    const draft = `.${name}.${randomUUID()}.new`;
    await this.#attempt(name, async () => {
      try {
        await this.#create(draft, content);
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

  /** Takes a symbolic link of that name away, so that a directory can be made in its place. */
  async unlinkIfLink(name: string): Promise<void> {
    if ((await this.#textOf(name)) !== null) {
      await this.#attempt(name, () => unlink(this.#at(name)));
    }
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

  async #create(name: string, content: string | Uint8Array): Promise<void> {
    const file = await open(this.#at(name), NEW_FILE, 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(0o644);
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

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
