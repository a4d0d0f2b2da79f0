import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { sameLinkError } from '../link-error.js';
import { rcSystemError } from './system-error.js';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const STEP = 'id-file';
const MAX_SIZE = 64;
const MAX_JID = 999_998;
const READABLE = 0o644;
/** There is none; or something that is not read: a link, a socket. */
const NOTHING = ['ENOENT'];
const UNREADABLE = ['ELOOP', 'ENXIO'];

/** What an id file says. */
export interface IdFile {
  /** Is there anything by that name? */
  readonly exists: boolean;
  /** null: nothing that could be believed. */
  readonly jid: number | null;
}

/**
 * Reads an id file. What is no regular file of root's or this user's with a jid in it says nothing.
 *
 * @param path such as `/var/run/jail_www.id`
 * @throws JailSystemError step `id-file`
 */
export function readIdFile(path: string): IdFile {
  let fd: number | null = null;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return { exists: true, jid: readJid(fd) };
  } catch (error) {
    const { code = '' } = sameLinkError(error as NodeJS.ErrnoException);
    if (NOTHING.includes(code)) return { exists: false, jid: null };
    if (UNREADABLE.includes(code)) return { exists: true, jid: null };
    throw rcSystemError(error, STEP, path);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function readJid(fd: number): number | null {
  const status = fstatSync(fd);
  const isOurs = status.uid === 0 || status.uid === process.geteuid?.();
  if (!status.isFile() || !isOurs || status.size > MAX_SIZE) return null;
  const bytes = Buffer.alloc(MAX_SIZE);
  const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, MAX_SIZE, 0));
  const jid = /^\s*([0-9]{1,6})\s*$/.test(text) ? Number(text) : 0;
  return jid >= 1 && jid <= MAX_JID ? jid : null;
}

/**
 * Writes an id file as rc.d/jail does: the jid and a line end. Whatever was there, a link for one, is replaced, not
 * written to.
 *
 * @param path such as `/var/run/jail_www.id`
 * @param jid of the running jail
 * @throws JailSystemError step `id-file`
 */
export function writeIdFile(path: string, jid: number): void {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(fresh, `${jid}\n`, { flag: 'wx', mode: READABLE });
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw rcSystemError(error, STEP, path);
  }
}

/**
 * Removes an id file; that it is gone already is no error.
 *
 * @throws JailSystemError step `id-file`
 */
export function removeIdFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw rcSystemError(error, STEP, path);
  }
}
