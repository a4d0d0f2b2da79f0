import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { invalidType, invalidValue, JailError } from '../errors.js';
import { decodeUtf8 } from '../text.js';
import { assertArray, assertFilledText, assertKnownKeys, assertObject } from '../validate.js';
import { rcSystemError } from './system-error.js';

/**
 * Where the variables come from: a path (no newline and no `=`), several paths read in order, the text itself (it has
 * a newline or a `=`), or text with the name to use in errors.
 */
export type RcSource =
  | string
  | URL
  | readonly (string | URL)[]
  | { readonly text: string; readonly file?: string };

/** What is in one file. */
export interface SourceText {
  readonly text: string;
  readonly file: string;
}

/** The files of a DragonFly system, in the order in which rc(8) reads them; those that are not there are left out. */
export const rcConfFiles: readonly string[] = [
  '/etc/defaults/rc.conf',
  '/etc/rc.conf',
  '/etc/rc.conf.local',
  '/etc/rc.conf.d/jail',
];

const MAX_FILE = 16 * 1024 * 1024;
const TEXT_NAME = 'rc.conf';

/**
 * Reads what a source stands for. Of several paths those that do not exist are left out, as rc(8) does it, but not all.
 *
 * @param source what the caller gave
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws JailSystemError with step `read`: a file cannot be read
 */
export function readSource(source: unknown): readonly SourceText[] {
  if (typeof source === 'string') {
    return isText(source) ? [{ text: source, file: TEXT_NAME }] : [readPath(source, 'source')];
  }
  if (source instanceof URL) return [readPath(source, 'source')];
  if (Array.isArray(source)) return readPaths(source);
  assertObject(source, 'source', 'a path, an array of paths or the text of rc.conf');
  assertKnownKeys(source, ['text', 'file'], 'source');
  const { text, file = TEXT_NAME } = source;
  if (typeof text !== 'string') throw invalidType('source.text', 'the text of rc.conf', text);
  assertFilledText(file, 'source.file', 'the name of a file');
  return [{ text, file }];
}

function isText(source: string): boolean {
  return source === '' || /[\n=]/.test(source);
}

function readPaths(paths: readonly unknown[]): readonly SourceText[] {
  assertArray(paths, 'source');
  if (paths.length === 0) throw invalidValue('source', 'one path at least', paths);
  let missing: unknown;
  const found = paths.flatMap((path, index) => {
    try {
      return [readPath(path, `source[${index}]`)];
    } catch (error) {
      if (!(error instanceof JailError) || error.code !== 'ENOENT') throw error;
      missing = error;
      return [];
    }
  });
  if (found.length === 0) throw missing;
  return found;
}

function readPath(path: unknown, name: string): SourceText {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  assertFilledText(file, name, 'a path');
  return { text: readTextFile(file), file };
}

/**
 * Reads a file of an administrator's: a regular one, in UTF-8, of a bearable size.
 *
 * @throws JailSystemError step `read`
 * @throws JailError `ERR_INVALID_ARG_VALUE`: it is no such file
 */
export function readTextFile(file: string): string {
  let fd: number | null = null;
  try {
    // Not waiting for somebody to write into it, should it be a FIFO.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    return readTextOf(fd, file);
  } catch (error) {
    throw rcSystemError(error, 'read', file);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** {@link readTextFile} for a file that is open. */
export function readTextOf(fd: number, file: string): string {
  const status = fstatSync(fd);
  if (!status.isFile()) throw invalidValue('source', 'a regular file', file);
  if (status.size > MAX_FILE) throw invalidValue('source', 'a file of at most 16 MiB', file);
  return decode(readFileSync(fd), file);
}

function decode(bytes: Uint8Array, file: string): string {
  const text = decodeUtf8(bytes);
  if (text === null) throw invalidValue('source', 'a file in UTF-8', file);
  return text;
}
