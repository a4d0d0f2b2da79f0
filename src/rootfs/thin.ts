import { mkdir, readFile } from 'node:fs/promises';
import { type as osType } from 'node:os';
import { join } from 'node:path';
import type { MountSpec } from '../mounts.js';
import { completeAccounts } from './accounts/complete.js';
import { etcFiles } from './etc-files.js';
import { Folder } from './folder.js';
import { type HostLayout, surveyHost } from './host.js';
import { includedPaths, normalPath } from './paths.js';
import { rootError, rootFailure } from './root-error.js';
import { isServiceMarker, MARKER, MAX_MARKER } from './service/manifest.js';
import { Tree } from './tree.js';

/** Options of {@link prepareThinRoot}. */
export interface ThinRootOptions {
  /**
   * Further directories of the host, absolute paths, to be mounted read-only at the same path: where a
   * program lives that is not below /usr, for example. Those within a directory that is shared already
   * are skipped. `/`, `/etc`, `/dev`, `/proc`, `/tmp` and what is below `/dev` and `/proc` are refused.
   */
  readonly include?: readonly string[];
}

/** What {@link prepareThinRoot} made. */
export interface ThinRoot {
  /** To be given to `Jail.create()`, in this order. */
  readonly mounts: MountSpec[];
}

const TITLE = 'thin root, version 1\n';
// Files that the host's programs look up their libraries by; they change when the host installs something.
const LINKER_FILES = ['etc/ld.so.cache', 'etc/ld.so.conf'];
const BSD_LINKER_FILES = ['var/run/ld-elf.so.hints'];
const FOLDERS = ['dev', 'etc', 'home', 'mnt', 'proc', 'root', 'run', 'tmp', 'var'] as const;
const PRIVATE = 0o700;
const SHARED_SCRATCH = 0o1777;

/**
 * Prepares a directory as the root of jails that run the host's own programs.
 *
 * The directory gets a skeleton (an /etc with a few accounts, on DragonFly with their databases, empty folders) of
 * some kilobytes; everything else is the host's, mounted read-only: /usr, and /bin, /sbin, /lib, … as the links or directories that they
 * are on the host, `/etc/alternatives` and `/etc/ssl/certs`. /dev, /proc and /tmp are file systems of the
 * jail's own. Nothing else of the host is visible, and none of the host's accounts.
 *
 * May be called again for the same directory: what was changed in its /etc stays, what belongs to the
 * host's system is brought up to date. It becomes the jail's `/` and so gets mode 0755; keep it in a folder
 * that others may not search (0700) when the jail's root is not trusted. The files belong to the caller, so
 * it works without privileges.
 *
 * @param path    absolute path of a directory that is missing, empty, or was prepared before
 * @param options see {@link ThinRootOptions}
 * @returns the mounts that the jail needs
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: a path that is not an absolute path, …
 * @throws JailSystemError step `root`: `ENOTEMPTY` (something else is in the directory), `ENOTDIR`, `EACCES`,
 *   `ENOENT` (an included directory is missing), `ENOSPC`, … with the path concerned
 * @see mount_null(8), pivot_root(2)
 * @example
 * const { mounts } = await prepareThinRoot('/var/jails/www');
 * const jail = await Jail.create({ path: '/var/jails/www', hostname: 'www', mounts });
 */
export async function prepareThinRoot(
  path: string,
  options: ThinRootOptions = {},
): Promise<ThinRoot> {
  const root = normalPath(path, 'path');
  const include = includedPaths(options, root);
  const linux = osType() === 'Linux';
  const host = await surveyHost(include, linux);
  await makeTop(root);
  const top = await Folder.open(root);
  try {
    await layOut(top, host, linux);
  } finally {
    await top.close();
  }
  return { mounts: mountsOf(host) };
}

/**
 * The mounts that {@link prepareThinRoot} would give for a directory, without a change to it.
 *
 * @param path    as for {@link prepareThinRoot}
 * @param options as for {@link prepareThinRoot}
 * @throws JailError, JailSystemError as {@link prepareThinRoot} does for its arguments
 * @example const mounts = await thinRootMounts('/var/jails/www');
 */
export async function thinRootMounts(
  path: string,
  options: ThinRootOptions = {},
): Promise<MountSpec[]> {
  const include = includedPaths(options, normalPath(path, 'path'));
  return mountsOf(await surveyHost(include, osType() === 'Linux'));
}

/** Is this the marker of a thin root? */
export function isThinMarker(text: string): boolean {
  return text === TITLE;
}

async function makeTop(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
  } catch (error) {
    throw rootError(error, root);
  }
}

async function layOut(top: Folder, host: HostLayout, linux: boolean): Promise<void> {
  await claim(top);
  await makeFolders(top);
  await fillEtc(top, linux);
  await copyLinkerFiles(top, linux);
  for (const [name, text] of host.links) {
    await top.link(name, text);
  }
  for (const { target } of host.shared) {
    await makeMountPoint(top, target, host.links);
  }
}

/** The marker comes first: what a killed program left half made is still known as ours. */
async function claim(top: Folder): Promise<void> {
  const names = await top.names();
  const foreign = names.some((name) => name !== 'lost+found');
  if (foreign && (!names.includes(MARKER) || isServiceRoot(top.path))) {
    throw rootFailure('ENOTEMPTY', 'scandir', top.path);
  }
  await top.write(MARKER, TITLE);
  await top.chmod(0o755);
}

/** Its programs would be hidden by the mounts, and its accounts mixed with those of a thin root. */
function isServiceRoot(path: string): boolean {
  const tree = Tree.open(path);
  try {
    return isServiceMarker(tree.text(`/${MARKER}`, MAX_MARKER) ?? '');
  } finally {
    tree.close();
  }
}

async function makeFolders(top: Folder): Promise<void> {
  for (const name of FOLDERS) {
    const folder = await top.folder(name, modeOf(name));
    await folder.close();
  }
  await within(top, ['var'], async (folder) => {
    await (await folder.folder('tmp', SHARED_SCRATCH)).close();
    await (await folder.folder('run')).close();
  });
}

function modeOf(name: string): number {
  return name === 'tmp' ? SHARED_SCRATCH : name === 'root' ? PRIVATE : 0o755;
}

async function fillEtc(top: Folder, linux: boolean): Promise<void> {
  await within(top, ['etc'], async (folder) => {
    for (const [name, content] of etcFiles(linux)) {
      await folder.write(name, content);
    }
    if (!linux) await completeAccounts(folder, top.path);
  });
}

async function copyLinkerFiles(top: Folder, linux: boolean): Promise<void> {
  for (const file of linux ? LINKER_FILES : BSD_LINKER_FILES) {
    const content = await readFile(join('/', file)).catch(() => null);
    const names = file.split('/');
    const last = names.pop();
    if (content !== null && last !== undefined) {
      await within(top, names, (folder) => folder.replace(last, content));
    }
  }
}

async function makeMountPoint(
  top: Folder,
  target: string,
  links: ReadonlyMap<string, string>,
): Promise<void> {
  const names = target.slice(1).split('/');
  const first = names[0];
  if (names.length === 1 && first !== undefined && !links.has(first)) {
    // A link from a time when the host had one there.
    await top.unlinkIfLink(first);
  }
  await within(top, names, async () => {});
}

/** Does the work in a folder some levels below, made where missing. */
async function within(
  top: Folder,
  names: readonly string[],
  work: (folder: Folder) => Promise<void>,
): Promise<void> {
  const [first, ...others] = names;
  if (first === undefined) {
    return work(top);
  }
  const folder = await top.folder(first);
  try {
    await within(folder, others, work);
  } finally {
    await folder.close();
  }
}

function mountsOf(host: HostLayout): MountSpec[] {
  const shared = host.shared.map(
    ({ target, source }): MountSpec => ({ type: 'nullfs', target, source, readOnly: true }),
  );
  const devices: MountSpec[] = [
    { type: 'devfs', target: '/dev' },
    { type: 'procfs', target: '/proc' },
  ];
  // Below a tmpfs there would be no place for what is included there; the skeleton's own /tmp has one.
  const taken = host.shared.some(({ target }) => target.startsWith('/tmp/'));
  const scratch: MountSpec[] = taken
    ? []
    : [{ type: 'tmpfs', target: '/tmp', options: { mode: '1777' } }];
  return [...shared, ...devices, ...scratch];
}
