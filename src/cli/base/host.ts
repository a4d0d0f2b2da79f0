import { accessSync, constants, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What jail(8) asks of the machine that it runs on, beside jails. Failures are errors with a `code`. */
export interface Host {
  /** realpath(3). */
  realpath(path: string): string;
  /** Can chdir(2) go there? `ENOTDIR`, `EACCES`, … */
  checkFolder(path: string): void;
  /** A text file of the host: /etc/passwd, /etc/group. */
  readText(path: string): string;
  /** Has a jail with this root a password file of its own? */
  hasPasswords(root: string): boolean;
}

/** The machine that the program runs on. */
export const machine: Host = {
  realpath: (path) => realpathSync.native(path),
  checkFolder,
  readText: (path) => readFileSync(path, 'utf8'),
  hasPasswords: (root) =>
    lstatSync(join(root, 'etc/passwd'), { throwIfNoEntry: false }) !== undefined,
};

function checkFolder(path: string): void {
  if (!statSync(path).isDirectory()) {
    throw Object.assign(new Error(`${path} is no directory`), { code: 'ENOTDIR' });
  }
  accessSync(path, constants.X_OK);
}
