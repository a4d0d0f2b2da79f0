import { readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rootError, rootFailure } from './root-error.js';

/** A directory of the host and where it is seen in the jail. */
export interface SharedDirectory {
  readonly target: string;
  readonly source: string;
}

/** What a thin root shares with its host. */
export interface HostLayout {
  /** Directories to be mounted, a parent before what is below it. */
  readonly shared: readonly SharedDirectory[];
  /** Symbolic links of the host's root directory, name to text, that lead into shared directories. */
  readonly links: ReadonlyMap<string, string>;
}

const LINUX_SYSTEM = [
  'usr',
  'bin',
  'sbin',
  'lib',
  'lib64',
  'lib32',
  'libx32',
  'nix/store',
  'gnu/store',
];
const BSD_SYSTEM = ['bin', 'sbin', 'lib', 'libexec', 'usr'];
// Only what programs break without, and nothing that holds secrets (a jail's root may read all of it).
const LINUX_SETTINGS = [
  'etc/ld.so.conf.d',
  'etc/alternatives',
  'etc/ssl/certs',
  'etc/ca-certificates/extracted',
  'etc/pki/ca-trust/extracted',
];

/**
 * Looks at the system directories of a host.
 *
 * @param include further directories of the host, absolute and normal
 * @param linux   whether the host is laid out as Linux systems are
 * @param root    the host's root directory; another one than `/` only in tests
 */
export async function surveyHost(
  include: readonly string[],
  linux: boolean,
  root = '/',
): Promise<HostLayout> {
  const shared: SharedDirectory[] = [];
  const links = new Map<string, string>();
  for (const name of linux ? LINUX_SYSTEM : BSD_SYSTEM) {
    await addSystemDirectory(root, name, shared, links);
  }
  for (const path of byDepth(include)) {
    await addIncluded(root, path, shared);
  }
  for (const name of linux ? LINUX_SETTINGS : []) {
    await addIfDirectory(root, name, shared);
  }
  return { shared, links };
}

/** Is the path one of these directories or below one? */
export function isCovered(path: string, shared: readonly SharedDirectory[]): boolean {
  return shared.some(({ target }) => path === target || path.startsWith(`${target}/`));
}

async function addSystemDirectory(
  root: string,
  name: string,
  shared: SharedDirectory[],
  links: Map<string, string>,
): Promise<void> {
  const text = await readlink(join(root, name)).catch(() => null);
  if (text !== null && isCovered(join('/', text), shared)) {
    links.set(name, text);
    return;
  }
  await addIfDirectory(root, name, shared);
}

async function addIfDirectory(
  root: string,
  name: string,
  shared: SharedDirectory[],
): Promise<void> {
  const source = await realpath(join(root, name)).catch(() => null);
  if (source !== null && (await stat(source)).isDirectory()) {
    shared.push({ target: join('/', name), source });
  }
}

async function addIncluded(root: string, path: string, shared: SharedDirectory[]): Promise<void> {
  if (isCovered(path, shared)) {
    return;
  }
  try {
    shared.push({ target: path, source: await directoryAt(join(root, path)) });
  } catch (error) {
    throw rootError(error, path);
  }
}

async function directoryAt(path: string): Promise<string> {
  const source = await realpath(path);
  if (!(await stat(source)).isDirectory()) {
    throw rootFailure('ENOTDIR', 'stat', path);
  }
  return source;
}

function byDepth(paths: readonly string[]): string[] {
  return [...paths].sort((a, b) => a.split('/').length - b.split('/').length);
}
