import { closeSync, constants, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { unsupported } from '../errors.js';
import { GuardedFolder, nameOf, PlantedFile } from '../files/below.js';
import { changeableBy } from '../files/changeable.js';
import { type MountSpec, type MountType, resolveMounts, type TmpfsOptions } from '../mounts.js';
import { type FstabEntry, parseFstab } from './fstab.js';
import { RcError } from './rc-error.js';
import { readTextOf } from './source.js';
import { rcSystemError } from './system-error.js';

const TYPES: Readonly<Record<string, MountType>> = {
  null: 'nullfs',
  nullfs: 'nullfs',
  devfs: 'devfs',
  procfs: 'procfs',
  proc: 'procfs',
  tmpfs: 'tmpfs',
};
/** They change nothing for a jail: what they are about is so anyhow, or is the file system's below. */
const WITHOUT_EFFECT = [
  'rw',
  'rq',
  'nodev',
  'noatime',
  'async',
  'sync',
  'late',
  'failok',
  'jail',
  'defaults',
];
const SIZE: Readonly<Record<string, 'size' | 'mode'>> = {
  size: 'size',
  '-s': 'size',
  mode: 'mode',
  '-m': 'mode',
};

/**
 * The mounts of a jail's fstab, in their order; entries with `noauto` and swap are left out, as by `mount -a`.
 *
 * @param file the fstab
 * @param root the jail's root directory, below which everything has to be
 * @throws RcError a mount point that is not below the root; JailError `ERR_JAIL_UNSUPPORTED`: another file system or an
 *   unknown option; JailSystemError step `read`
 */
export function readFstabMounts(file: string, root: string): readonly MountSpec[] {
  const entries = parseFstab(readFstab(file, root), file).filter(isMounted);
  const roots = [root, realPath(root)];
  return entries.map((entry) => mountOf(entry, roots));
}

/**
 * Where the entries of a jail's fstab are mounted, as the jail sees it. Of another file system too.
 *
 * @throws RcError, JailSystemError as {@link readFstabMounts}
 */
export function listOfFstab(file: string, root: string): readonly string[] {
  const roots = [root, realPath(root)];
  return parseFstab(readFstab(file, root), file)
    .filter(isMounted)
    .map((entry) => insideOf(entry, roots));
}

// Who writes it mounts what of the host it likes: it must not lie where a jail can write.
function readFstab(path: string, root: string): string {
  const file = resolve(path);
  try {
    return GuardedFolder.with(dirname(file), changeableBy([{ path: root }]), (folder) => {
      if (folder.isChangeable) throw new PlantedFile('lies where a jail can write', path);
      return readIn(folder, file);
    });
  } catch (error) {
    if (!(error instanceof PlantedFile)) throw rcSystemError(error, 'read', path);
    const hint =
      'a jail that writes its own fstab mounts what it likes: keep it outside of all jails';
    throw new RcError(`The fstab ${error.problem}`, { file: path, line: null, hint });
  }
}

function readIn(folder: GuardedFolder, file: string): string {
  const fd = folder.openFile(nameOf(file), constants.O_RDONLY);
  try {
    return readTextOf(fd, file);
  } finally {
    closeSync(fd);
  }
}

function isMounted({ options, type }: FstabEntry): boolean {
  return !options.includes('noauto') && !options.includes('xx') && type !== 'swap';
}

// That of a model's kernel is not on this machine.
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function mountOf(entry: FstabEntry, roots: readonly string[]): MountSpec {
  const { file, line } = entry;
  const type = Object.hasOwn(TYPES, entry.type) ? TYPES[entry.type] : undefined;
  if (type === undefined) {
    throw notHere(
      entry,
      `The file system ${entry.type}`,
      'a jail can have null, devfs, procfs and tmpfs',
      'mount it on the host, and show it to the jail by a null mount',
    );
  }
  const mount: MountSpec = {
    type,
    target: insideOf(entry, roots),
    ...(type === 'nullfs' && { source: entry.source }),
    ...mountOptions(entry, type),
  };
  try {
    resolveMounts([mount]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RcError(reason, { file, line, cause: error });
  }
  return mount;
}

// By its text: whether links lead elsewhere is looked at when it is mounted, part by part, and refused there.
function insideOf({ target, file, line }: FstabEntry, roots: readonly string[]): string {
  const parts = partsOf(target);
  for (const root of roots) {
    const above = partsOf(root);
    const isBelow = parts.length > above.length && above.every((part, at) => parts[at] === part);
    if (isBelow && !parts.includes('..') && target.startsWith('/'))
      return `/${parts.slice(above.length).join('/')}`;
  }
  const hint = `it has to begin with ${roots[0]}/, without '..'`;
  throw new RcError(`${target} is not below the root of the jail`, { file, line, hint });
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function mountOptions(entry: FstabEntry, type: MountType): Pick<MountSpec, 'readOnly' | 'options'> {
  let readOnly = false;
  const options: Record<string, string | true> = {};
  for (const word of entry.options) {
    const [key = '', value] = word.split('=', 2);
    const size = Object.hasOwn(SIZE, key) ? SIZE[key] : undefined;
    if (word === 'ro') readOnly = true;
    else if (word === 'noexec' || word === 'nosuid') options[word] = true;
    else if (type === 'tmpfs' && size !== undefined && value) options[size] = value;
    else if (!WITHOUT_EFFECT.includes(word)) {
      throw notHere(
        entry,
        `The mount option ${word}`,
        'a jail’s mounts have ro, noexec, nosuid, and size and mode for tmpfs',
      );
    }
  }
  return { readOnly, options: options as TmpfsOptions };
}

function notHere({ file, line }: FstabEntry, what: string, reason: string, hint?: string): Error {
  return Object.assign(unsupported(`${file}:${line}: ${what}`, reason, hint), { file, line });
}
