import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, readSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { GuardedFolder, nameOf, PlantedFile } from '../files/below.js';
import { changeableBy } from '../files/changeable.js';
import { rcSystemError } from './system-error.js';

const { O_WRONLY, O_CREAT, O_EXCL } = constants;
const STEP = 'id-file';
const MAX_SIZE = 64;
const MAX_JID = 999_998;
const READABLE = 0o644;

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
    fd = inFolder(path, (folder, name) => folder.openToRead(name));
    return { exists: true, jid: readJid(fd) };
  } catch (error) {
    const code = String(Reflect.get(error as object, 'code'));
    if (code === 'ENOENT') return { exists: false, jid: null };
    if (code === 'ELOOP' || error instanceof PlantedFile) return { exists: true, jid: null };
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
  try {
    inFolder(path, (folder, name) => replace(folder, name, `${jid}\n`));
  } catch (error) {
    throw rcSystemError(error, STEP, path);
  }
}

function replace(folder: GuardedFolder, name: string, text: string): void {
  const fresh = `${name}.${randomBytes(6).toString('hex')}`;
  const fd = folder.openFile(fresh, O_WRONLY | O_CREAT | O_EXCL, READABLE);
  try {
    writeFileSync(fd, text);
    folder.rename(fresh, name);
  } catch (error) {
    folder.remove(fresh);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes an id file; that it is gone already is no error.
 *
 * @throws JailSystemError step `id-file`
 */
export function removeIdFile(path: string): void {
  try {
    inFolder(path, (folder, name) => folder.remove(name));
  } catch (error) {
    if (Reflect.get(Object(error), 'code') === 'ENOENT') return;
    throw rcSystemError(error, STEP, path);
  }
}

function inFolder<T>(path: string, work: (folder: GuardedFolder, name: string) => T): T {
  const file = resolve(path);
  return GuardedFolder.with(dirname(file), changeableBy([]), (folder) =>
    work(folder, nameOf(file)),
  );
}
