import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { JailSystemError } from '../errors.js';
import { atCalls } from '../files/at.js';
import { listJails } from '../list.js';
import { loadNative, nativeFailure } from '../native.js';

// All temporary roots of a user are in one folder, which nobody else may search and no jail sees.
//
// A root is held by a shared lock on it: that of its maker until there is a jail, and that of the jail's monitor, in
// whatever registry the jail is. Whoever gets the lock for itself alone may remove it.

const PREFIX = 'dfjail-run-';
const PRIVATE = 0o700;
const RANDOM_LETTERS = 12;
const NAME = new RegExp(`^${PREFIX}[a-z0-9]{${RANDOM_LETTERS}}$`);
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
// A monitor that has told of its jail's end is about to end.
const PATIENCE_MS = 2000;
const PAUSE_MS = 10;
const ATTEMPTS = 100;

/** The locks of the roots that this program has made, by their paths; they go with the program. */
const held = new Map<string, number>();

/**
 * Makes a folder for the thin root of one jail. It is for its maker to remove; if that is killed, the next one to call
 * {@link sweepThinFolders} does.
 *
 * @returns its path
 * @throws JailSystemError step `root`: `EPERM` when the folder for them is somebody else’s
 */
export async function makeThinFolder(): Promise<string> {
  const parent = openParent(true);
  try {
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      const name = ownName();
      atCalls.mkdir(parent, name, PRIVATE);
      const lock = lockOf(parent, name, false);
      if (lock === null) continue; // somebody swept it away before it was locked
      const path = join(parentPath(), name);
      held.set(path, lock);
      return path;
    }
  } finally {
    closeSync(parent);
  }
  throw failure('EAGAIN', 'flock', parentPath());
}

/** The folder that {@link makeThinFolder} would make, as a plan shows it. */
export function plannedThinFolder(): string {
  return join(parentPath(), PREFIX + 'x'.repeat(RANDOM_LETTERS));
}

/** Was that folder made by {@link makeThinFolder}, in this program or another? */
export function isThinFolder(path: string): boolean {
  return dirname(path) === parentPath() && NAME.test(basename(path));
}

/** Removes the folder of a jail that has ended, with everything that the jail has left in it; not while a jail has it. */
export async function removeThinFolder(path: string): Promise<void> {
  const parent = openParent(false);
  try {
    const own = held.get(path);
    held.delete(path);
    if (own !== undefined) closeSync(own);
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
      if (await removeUnlessHeld(parent, basename(path))) return;
      await delay(PAUSE_MS);
    }
  } finally {
    closeSync(parent);
  }
}

/**
 * Removes the folders that no jail has as its root, nor will have.
 *
 * @returns the paths of those that were removed
 */
export async function sweepThinFolders(): Promise<readonly string[]> {
  const parent = openParent(true);
  try {
    const names = atCalls.names(parent).filter((name) => NAME.test(name));
    if (names.length === 0) return [];
    const used = new Set(listJails().map(({ path }) => path));
    const removed: string[] = [];
    for (const name of names) {
      const path = join(parentPath(), name);
      if (used.has(path)) continue;
      // One that cannot be removed is in nobody's way.
      if (await removeUnlessHeld(parent, name).catch(() => false)) removed.push(path);
    }
    return removed;
  } finally {
    closeSync(parent);
  }
}

// False: somebody holds it.
async function removeUnlessHeld(parent: number, name: string): Promise<boolean> {
  const stats = atCalls.lstat(parent, name);
  if (stats === null) return true;
  const lock = lockOf(parent, name, true);
  if (lock === null) return atCalls.lstat(parent, name) === null;
  try {
    await loadNative().native.removeTree(parent, name);
    return true;
  } catch (error) {
    throw nativeFailure(error, { step: 'root', path: join(parentPath(), name) });
  } finally {
    closeSync(lock);
  }
}

// Null: somebody else has it, or it is gone.
function lockOf(parent: number, name: string, exclusive: boolean): number | null {
  const folder = openUnlessMissing(parent, name);
  if (folder === null) return null;
  let isOurs = false;
  try {
    isOurs = loadNative().native.lockFile(folder, exclusive) && fstatSync(folder).nlink > 0;
  } catch (error) {
    throw nativeFailure(error, { step: 'root', path: join(parentPath(), name) });
  } finally {
    if (!isOurs) closeSync(folder);
  }
  return isOurs ? folder : null;
}

function openUnlessMissing(parent: number, name: string): number | null {
  try {
    return atCalls.open(parent, name, FOLDER);
  } catch (error) {
    if (Reflect.get(Object(error), 'code') === 'ENOENT') return null;
    throw error;
  }
}

function ownName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_LETTERS));
  return PREFIX + Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

function parentPath(): string {
  return join(tmpdir(), `dfjail-roots-${process.geteuid?.() ?? 0}`);
}

// Anybody can make a folder, or a link, of any name in /tmp.
function openParent(isMade: boolean): number {
  const path = parentPath();
  try {
    if (isMade) mkdirSync(path, { mode: PRIVATE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const folder = openSync(path, FOLDER);
  const { uid, mode } = fstatSync(folder);
  if (uid === process.geteuid?.() && (mode & 0o077) === 0) return folder;
  closeSync(folder);
  throw failure(
    'EPERM',
    'open',
    path,
    'it has to be yours, with mode 0700: remove it, or set TMPDIR',
  );
}

function failure(code: 'EPERM' | 'EAGAIN', syscall: string, path: string, hint?: string): Error {
  const errno = osConstants.errno[code];
  return new JailSystemError({ errno, code, syscall, step: 'root', path, hint });
}
