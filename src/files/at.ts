import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { loadNative } from '../native.js';

/** What is known of a name without following it. */
export interface NameStats {
  /** Type and permissions. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly dev: number;
  readonly ino: number;
}

/**
 * Calls by an open directory and a name in it, as openat(2) and its like: whatever somebody exchanges above the
 * directory meanwhile, it stays that directory. A name has no slash in it.
 */
export interface AtCalls {
  open(folder: number, name: string, flags: number, mode?: number): number;
  mkdir(folder: number, name: string, mode: number): void;
  rename(from: number, oldName: string, to: number, newName: string): void;
  unlink(folder: number, name: string): void;
  rmdir(folder: number, name: string): void;
  symlink(text: string, folder: number, name: string): void;
  link(from: number, oldName: string, to: number, newName: string): void;
  readlink(folder: number, name: string): string;
  /** Null: there is none. */
  lstat(folder: number, name: string): NameStats | null;
  /** At most {@link MAX_NAMES}. */
  names(folder: number): string[];
}

/** Of a directory; somebody may have made a million of them. As in the addon. */
export const MAX_NAMES = 1 << 17;

const DESCRIPTORS = '/proc/self/fd';

/** Linux: a directory's descriptor has a path. */
export const byPath: AtCalls = {
  open: (folder, name, flags, mode = 0) => openSync(at(folder, name), flags, mode),
  mkdir: (folder, name, mode) => mkdirSync(at(folder, name), mode),
  rename: (from, oldName, to, newName) => renameSync(at(from, oldName), at(to, newName)),
  unlink: (folder, name) => unlinkSync(at(folder, name)),
  rmdir: (folder, name) => rmdirSync(at(folder, name)),
  symlink: (text, folder, name) => symlinkSync(text, at(folder, name)),
  link: (from, oldName, to, newName) => linkSync(at(from, oldName), at(to, newName)),
  readlink: (folder, name) => readlinkSync(at(folder, name)),
  lstat: (folder, name) => lstatSync(at(folder, name), { throwIfNoEntry: false }) ?? null,
  names: (folder) => firstNames(at(folder, '.')),
};

/** Everywhere: the calls themselves, which Node does not have. */
export const byAddon: AtCalls = {
  open: (folder, name, flags, mode = 0) => addon().openAt(folder, name, flags, mode),
  mkdir: (folder, name, mode) => addon().mkdirAt(folder, name, mode),
  rename: (from, oldName, to, newName) => addon().renameAt(from, oldName, to, newName),
  unlink: (folder, name) => addon().unlinkAt(folder, name),
  rmdir: (folder, name) => addon().rmdirAt(folder, name),
  symlink: (text, folder, name) => addon().symlinkAt(text, folder, name),
  link: (from, oldName, to, newName) => addon().linkAt(from, oldName, to, newName),
  readlink: (folder, name) => addon().readlinkAt(folder, name),
  lstat(folder, name) {
    const found = addon().statAt(folder, name);
    if (found === null) return null;
    const [mode, size, uid, gid, nlink, dev, ino] = found;
    return { mode, size, uid, gid, nlink, dev, ino };
  },
  names: (folder) => addon().namesAt(folder),
};

/** Does this system have paths for descriptors? Then the addon is not needed. */
export const hasDescriptorPaths = existsSync(DESCRIPTORS);

/** Those of this system. */
export const atCalls: AtCalls = hasDescriptorPaths ? byPath : byAddon;

function firstNames(path: string): string[] {
  const names: string[] = [];
  const folder = opendirSync(path);
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (names.push(entry.name) === MAX_NAMES) break;
    }
  } finally {
    folder.closeSync();
  }
  return names;
}

function at(folder: number, name: string): string {
  return `${DESCRIPTORS}/${folder}/${name}`;
}

function addon() {
  return loadNative().native;
}
