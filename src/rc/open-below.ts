import { closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RcError } from './rc-error.js';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const DESCRIPTORS = '/proc/self/fd';
const HINT = 'name a file outside of the jail’s directory';

/**
 * Opens a file that lies below a directory, in which somebody else may exchange any part of the way for a link: each part
 * is opened in the one before, and a link is an error.
 *
 * @param root a directory; links on the way to it are the caller's own
 * @param path a file, there already or not; absolute, without `.` and `..`
 * @param flags of open(2)
 * @param mode for a new file
 * @returns a descriptor; null: the file is not below the directory
 * @throws what open(2) says, ELOOP or ENOTDIR for a link; RcError where the system cannot look a name up in an open
 *   directory (Node has no openat(2); Linux has /proc/self/fd)
 */
export function openBelow(root: string, path: string, flags: number, mode: number): number | null {
  const way = wayBelow(root, path);
  if (way === null) return null;
  if (!existsSync(DESCRIPTORS)) {
    const message = 'A file in the jail’s own directory cannot be opened safely on this system';
    throw new RcError(message, { file: path, line: null, hint: HINT });
  }
  const name = way.pop() ?? '.';
  const folder = walk(root, way);
  try {
    return openSync(join(DESCRIPTORS, `${folder}`, name), flags, mode);
  } finally {
    closeSync(folder);
  }
}

/** The names from one to the other, whatever the path calls the directory. Nothing is below one that is not there. */
function wayBelow(root: string, path: string): string[] | null {
  const { dev, ino } = statSync(root, { throwIfNoEntry: false }) ?? { dev: null, ino: null };
  const names = path.split('/').slice(1);
  for (let above = 0; above < names.length; above++) {
    const at = statSync(`/${names.slice(0, above).join('/')}`, { throwIfNoEntry: false });
    if (at === undefined) return null;
    if (at.dev === dev && at.ino === ino) return names.slice(above);
  }
  return null;
}

function walk(root: string, way: readonly string[]): number {
  let folder = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const name of way) {
    const before = folder;
    try {
      folder = openSync(join(DESCRIPTORS, `${before}`, name), FOLDER);
    } finally {
      closeSync(before);
    }
  }
  return folder;
}
