import { invalidType, invalidValue } from '../../errors.js';
import {
  assertAbsolutePath,
  assertArray,
  assertInteger,
  assertKnownKeys,
  assertObject,
  assertOneOf,
  assertText,
  type UnknownRecord,
} from '../../validate.js';
import { normalPath } from '../paths.js';
import { MARKER } from './manifest.js';
import { checkedUser, type NamedUser } from './user-options.js';

/** Somebody who owns a file: a name of an account of the root, or a number. */
export type OwnerName = string | number;

/** A file or a directory that a service root gets beside its programs. */
export interface ServiceFile {
  /** A file, or a directory with all that is in it, of this system. */
  readonly source?: string;
  /** Instead of `source`: what is to be in the file. */
  readonly content?: string | Uint8Array;
  /** Where it is in the root. Default: where it is on this system; `content` needs one. */
  readonly target?: string;
  /** Permissions of the file; only for a single one. Default: those of the source without set-user-id bits, or 0644. */
  readonly mode?: number;
  /** Its owner, by a name of the root's accounts or a number; only root may give files away. Default: the caller. */
  readonly user?: OwnerName;
  /** Its group, likewise. */
  readonly group?: OwnerName;
}

/** An empty directory that a service root gets: for data, sockets, files with pids. */
export interface ServiceDirectory {
  /** Where it is in the root. */
  readonly path: string;
  /** Permissions. Default 0755. */
  readonly mode?: number;
  /** As in {@link ServiceFile.user}. */
  readonly user?: OwnerName;
  /** As in {@link ServiceFile.group}. */
  readonly group?: OwnerName;
}

/** An account of a service root. */
export interface ServiceUser {
  /** Its name: letters, digits, `_`, `.`, `-`; at most 32. */
  readonly name: string;
  /** Its number, 0–4294967294. A jail on Linux has the numbers up to 65535. */
  readonly uid: number;
  /** The number of its group, which is made with the user's name when there is none. Default: the uid. */
  readonly gid?: number;
  /** Further groups: names of those that are there, or new ones. */
  readonly groups?: readonly (string | { readonly name: string; readonly gid: number })[];
  /** Its home directory, which is not made. Default `/`. */
  readonly home?: string;
  /** Its shell, which is not brought along. Default: nologin. */
  readonly shell?: string;
  /** Its full name, or what it is for. */
  readonly comment?: string;
}

/** Options of {@link buildServiceRoot}. */
export interface ServiceRootOptions {
  /**
   * The programs, absolute paths of this system: ELF files, or scripts, whose interpreter comes along. They have the
   * same paths in the root.
   */
  readonly programs: readonly string[];
  /**
   * What the programs open by themselves: settings, data, and libraries that they load by name. Paths of files and
   * directories, or more exactly {@link ServiceFile}. An ELF file brings the libraries that it needs.
   */
  readonly files?: readonly (string | ServiceFile)[];
  /** Empty directories. Those that are there already stay as they are. */
  readonly directories?: readonly (string | ServiceDirectory)[];
  /** Accounts beside root, daemon and nobody: names of users of this system, or {@link ServiceUser}. */
  readonly users?: readonly (string | ServiceUser)[];
  /** Directories that LD_LIBRARY_PATH will name in the jail; libraries are looked for there too. */
  readonly libraryPath?: readonly string[];
  /**
   * How files come into the root. `'copy'` (the default) makes files of the root's own, sharing their blocks where
   * the file system can. `'link'` makes hard links: no space, no time, **but the same files**. Who may write to them in
   * the jail, its root does, changes this system’s own programs. Take it for a root that is mounted read-only, or whose
   * jail runs nothing as root. Files on another file system, with set-user-id bits or an owner or mode of their own, and
   * those that the caller may not link, are copied then as well.
   */
  readonly method?: 'copy' | 'link';
}

/** The checked form of {@link ServiceFile}. */
export interface CheckedFile {
  /** The argument, for messages. */
  readonly name: string;
  readonly source: string | null;
  readonly content: string | Uint8Array | null;
  readonly target: string;
  readonly mode: number | null;
  readonly user: OwnerName | null;
  readonly group: OwnerName | null;
}

/** The checked form of {@link ServiceDirectory}. */
export interface CheckedDirectory {
  readonly name: string;
  readonly path: string;
  readonly mode: number | null;
  readonly user: OwnerName | null;
  readonly group: OwnerName | null;
}

/** The checked form of {@link ServiceRootOptions}. */
export interface CheckedOptions {
  readonly programs: readonly string[];
  readonly files: readonly CheckedFile[];
  readonly directories: readonly CheckedDirectory[];
  readonly users: readonly NamedUser[];
  readonly libraryPath: readonly string[];
  readonly method: 'copy' | 'link';
}

const OPTIONS = ['programs', 'files', 'directories', 'users', 'libraryPath', 'method'];
const FILE = ['source', 'content', 'target', 'mode', 'user', 'group'];
const DIRECTORY = ['path', 'mode', 'user', 'group'];
const MAX_ID = 0xfffffffe;
// What is no file system of the host, or is one without end.
const NO_SOURCES = ['/dev', '/proc', '/sys'];

/**
 * Checks the options of buildServiceRoot.
 *
 * @param value the options
 * @param root the root that is built
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function checkOptions(value: unknown, root: string): CheckedOptions {
  assertObject(value, 'options');
  assertKnownKeys(value, OPTIONS, 'options', { links: 'use method', libraries: 'use files' });
  const { method = 'copy' } = value;
  assertOneOf(method, 'options.method', ['copy', 'link'] as const);
  if (value.programs === undefined) {
    throw invalidType('options.programs', 'an array of absolute paths', undefined);
  }
  return {
    programs: listOf(value.programs, 'options.programs', (item, name) => source(item, name, root)),
    files: listOf(value.files, 'options.files', (item, name) => checkedFile(item, name, root)),
    directories: listOf(value.directories, 'options.directories', checkedDirectory),
    users: listOf(value.users, 'options.users', checkedUser),
    libraryPath: listOf(value.libraryPath, 'options.libraryPath', (item, name) =>
      normalPath(item, name),
    ),
    method,
  };
}

/** Checks each of a list; undefined is an empty one. */
function listOf<T>(
  value: unknown,
  name: string,
  check: (item: unknown, name: string) => T,
): readonly T[] {
  if (value === undefined) return [];
  assertArray(value, name);
  return Array.from(value, (item: unknown, index) => check(item, `${name}[${index}]`));
}

function checkedFile(value: unknown, name: string, root: string): CheckedFile {
  if (typeof value === 'string') {
    const path = source(value, name, root);
    const own = { mode: null, user: null, group: null };
    return { name, source: path, content: null, target: path, ...own };
  }
  assertObject(value, name, 'an absolute path or an object with source or content');
  assertKnownKeys(value, FILE, name);
  const content = checkedContent(value.content, `${name}.content`);
  if ((value.source === undefined) === (content === null)) {
    throw invalidValue(name, 'an object with either source or content', value);
  }
  const from = content === null ? source(value.source, `${name}.source`, root) : null;
  const to = target(value.target ?? from, `${name}.target`);
  return { name, source: from, content, target: to, ...ownership(value, name) };
}

function checkedContent(value: unknown, name: string): string | Uint8Array | null {
  if (value === undefined || value instanceof Uint8Array) return value ?? null;
  if (typeof value !== 'string') throw invalidType(name, 'a string or a Uint8Array', value);
  return value;
}

function checkedDirectory(value: unknown, name: string): CheckedDirectory {
  if (typeof value === 'string') {
    return { name, path: target(value, name), mode: null, user: null, group: null };
  }
  assertObject(value, name, 'an absolute path or an object with a path');
  assertKnownKeys(value, DIRECTORY, name);
  return { name, path: target(value.path, `${name}.path`), ...ownership(value, name) };
}

function ownership(value: UnknownRecord, name: string) {
  const { mode = null, user = null, group = null } = value;
  if (mode !== null) assertInteger(mode, `${name}.mode`, 0, 0o7777);
  return {
    mode,
    user: owner(user, `${name}.user`),
    group: owner(group, `${name}.group`),
  };
}

function owner(value: unknown, name: string): OwnerName | null {
  if (value === null) return null;
  if (typeof value === 'number') {
    assertInteger(value, name, 0, MAX_ID);
    return value;
  }
  assertText(value, name, 'a name or a number');
  return value;
}

function source(value: unknown, name: string, root: string): string {
  assertAbsolutePath(value, name);
  // What `..` leads to is for the file system to say; a slash at the end says nothing.
  const path = value.replace(/(?<=.)\/+$/, '');
  if (path === '/' || NO_SOURCES.some((one) => path === one || path.startsWith(`${one}/`))) {
    throw invalidValue(name, 'a path of files that can be copied', value);
  }
  if (path === root || root.startsWith(`${path}/`)) {
    throw invalidValue(name, 'a directory that does not hold the root itself', value);
  }
  return path;
}

function target(value: unknown, name: string): string {
  const path = normalPath(value, name);
  if (path === '/' || path.startsWith(`/${MARKER}`)) {
    throw invalidValue(name, 'a path in the root that is free for you', value);
  }
  return path;
}
