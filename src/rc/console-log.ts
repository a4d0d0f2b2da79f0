import { closeSync, constants, ftruncateSync } from 'node:fs';
import { openGuarded, PlantedFile } from '../files/below.js';
import { changeableBy } from '../files/changeable.js';
import { RcError } from './rc-error.js';
import { rcSystemError } from './system-error.js';

const { O_WRONLY, O_CREAT, O_APPEND } = constants;
const FLAGS = O_WRONLY | O_CREAT | O_APPEND;
const STEP = 'console-log';
const PRIVATE = 0o600;
const HINT = 'somebody may have put it there: look at it, and remove it';

/**
 * Opens a console log, which is made when it is not there. A link is not followed, and nothing is written into what is
 * no regular file, has a second name, or is somebody else's: a directory for logs may be open to others. In a jail's
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
  try {
    fd = openGuarded(path, changeableBy([{ path: root }]), FLAGS, PRIVATE);
    if (anew) ftruncateSync(fd);
    return fd;
  } catch (error) {
    if (fd !== null) closeSync(fd);
    if (!(error instanceof PlantedFile)) throw rcSystemError(error, STEP, path);
    throw new RcError(`The console log ${error.problem}`, { file: path, line: null, hint: HINT });
  }
}
