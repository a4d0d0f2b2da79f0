import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { openBelow } from './open-below.js';
import { RcError } from './rc-error.js';
import { rcSystemError } from './system-error.js';

const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
const FLAGS = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
const STEP = 'console-log';
const PRIVATE = 0o600;
const HINT = 'somebody may have put it there: look at it, and remove it';

/**
 * Opens a console log, which is made when it is not there. A link is not followed, and nothing is written into what is
 * no regular file, has a second name, or is somebody else's: a directory for logs may be open to others. In the jail's own
 * directory no link is followed on the way there either: its root may put one in the place of `var` at any time.
 *
 * @param path such as `/var/log/jail_www_console.log`
 * @param root the jail's root directory
 * @param anew empties it, as each start does; a stop appends
 * @returns a descriptor
 * @throws JailSystemError step `console-log`; RcError
 */
export function openConsoleLog(path: string, root: string, anew: boolean): number {
  let fd: number | null = null;
  const file = resolve(path);
  try {
    fd = openBelow(root, file, FLAGS, PRIVATE) ?? openSync(file, FLAGS, PRIVATE);
    checkFile(fd, path);
    if (anew) ftruncateSync(fd);
    return fd;
  } catch (error) {
    if (fd !== null) closeSync(fd);
    throw rcSystemError(error, STEP, path);
  }
}

function checkFile(fd: number, path: string): void {
  const status = fstatSync(fd);
  const problem = !status.isFile()
    ? 'is no regular file'
    : status.nlink !== 1
      ? 'has a second name somewhere else'
      : status.uid !== 0 && status.uid !== process.geteuid?.()
        ? 'belongs to somebody else'
        : null;
  if (problem === null) return;
  throw new RcError(`The console log ${problem}`, { file: path, line: null, hint: HINT });
}
