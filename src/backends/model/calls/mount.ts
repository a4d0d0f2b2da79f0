import { deviceFileSystem, emptyFileSystem } from '../file-systems.js';
import type { Kernel } from '../kernel-state.js';
import type { Mount } from '../mount-table.js';
import { lookup, Place, pathOf } from '../place.js';
import type { ProcessEntry } from '../process.js';
import { processFileSystem } from '../procfs.js';
import type { Vnode } from '../vnode.js';
import { MNT_FORCE, MNT_UPDATE } from './mount-flags.js';
import { assertPrivileged, type Privilege } from './privilege.js';

/** `get_fspriv()`: what a type takes; all others take the host's root. */
const PRIVILEGES: Readonly<Record<string, Privilege>> = {
  null: 'PRIV_VFS_MOUNT_NULLFS',
  tmpfs: 'PRIV_VFS_MOUNT_TMPFS',
  devfs: 'PRIV_VFS_MOUNT_DEVFS',
  procfs: 'PRIV_VFS_MOUNT_PROCFS',
};
/** `MNTK_NOSTKMNT`: file systems that nothing can be mounted in. */
const NO_STACKING = ['devfs', 'procfs'];
/** `MNAMELEN`, with the NUL: longer names are cut. */
const NAME_SIZE = 80;

/** What mount(2) is asked for. */
export interface MountRequest {
  readonly type: string;
  readonly path: string;
  readonly flags: number;
  /** Of a null mount: the source directory. */
  readonly source: string | null;
  /** Of a tmpfs: the mode of its root, and how many bytes its files may have. */
  readonly options?: { readonly mode?: number | null; readonly size?: number | null };
}

/** mount(2): the path is looked up following symbolic links, and leads to the topmost of what is mounted there. */
export function mount(kernel: Kernel, process: ProcessEntry, request: MountRequest): Mount {
  mayMount(kernel, process, request.type);
  const covers = lookup(process, request.path);
  if ((request.flags & MNT_UPDATE) !== 0) return update(kernel, covers, request);
  if (!covers.vnode.isDirectory) throw kernel.error('ENOTDIR');
  if (NO_STACKING.includes(covers.vnode.fileSystem.type)) throw kernel.error('EPERM');
  // Only who has entered a jail stands on a root directory that something lies on.
  if (covers.vnode.mountedHere !== null) throw kernel.error('EBUSY');
  const root = rootOf(kernel, process, request);
  const mounted = kernel.mounts.add({
    type: request.type,
    from: request.source ?? request.type,
    on: cutName(request.path),
    flags: request.flags,
    root,
    covers,
    prison: process.credential.prison,
  });
  moveInto(kernel, covers, root);
  return mounted;
}

// checkdirs() in sys/kern/vfs_syscalls.c: who stands on it, or has his root there, stands on what is mounted from now on.
// The root of a jail stays what it was: who enters later finds what is covered.
function moveInto(kernel: Kernel, covers: Place, root: Vnode): void {
  const above = new Place(root, covers.parent, covers.vnode);
  for (const process of kernel.processes.all) {
    if (process.cwd.is(covers)) process.cwd = above;
    if (process.root.is(covers)) process.root = above;
  }
}

function mayMount(kernel: Kernel, process: ProcessEntry, type: string): void {
  if (process.credential.prison !== null && kernel.settings.userMount) throw kernel.error('EPERM');
  assertPrivileged(kernel, process, PRIVILEGES[type] ?? 'PRIV_ROOT');
}

// Neither tmpfs nor devfs can be changed once they are mounted.
function update(kernel: Kernel, at: Place, { flags }: MountRequest): Mount {
  const found = kernel.mounts.rootedAt(at.vnode);
  if (found === undefined) throw kernel.error('EINVAL');
  if (['tmpfs', 'devfs'].includes(found.type)) throw kernel.error('EOPNOTSUPP');
  return kernel.mounts.change(found, flags & ~MNT_UPDATE);
}

function cutName(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length < NAME_SIZE ? name : bytes.subarray(0, NAME_SIZE - 1).toString();
}

function rootOf(kernel: Kernel, process: ProcessEntry, request: MountRequest): Vnode {
  if (request.type === 'devfs') return deviceFileSystem(kernel.deviceRules.get(request.path)).root;
  if (request.type === 'procfs') return processFileSystem(kernel).root;
  if (request.type === 'tmpfs') return memory(request.options ?? {});
  if (request.type !== 'null') throw kernel.error('ENODEV');
  const source: Place = lookup(process, request.source ?? '');
  if (!source.vnode.isDirectory) throw kernel.error('ENOTDIR');
  return alias(source.vnode);
}

function memory({ mode, size }: NonNullable<MountRequest['options']>): Vnode {
  const made = emptyFileSystem('tmpfs');
  if (mode != null) made.root.mode = mode;
  if (size != null && size > 0) made.capacity = Number(size);
  return made.root;
}

// A null mount's root is a node of its own with the entries of the source.
function alias(source: Vnode): Vnode {
  const { root } = emptyFileSystem('null');
  Object.defineProperty(root, 'entries', { value: source.entries });
  root.mode = source.mode;
  root.uid = source.uid;
  return root;
}

/** unmount(2): the order of the checks is the kernel's. */
export function unmount(kernel: Kernel, process: ProcessEntry, path: string, flags: number): void {
  const { prison } = process.credential;
  if (prison !== null && kernel.settings.userMount) throw kernel.error('EPERM');
  const place = lookup(process, path);
  const within = mountOf(kernel, place);
  assertPrivileged(kernel, process, PRIVILEGES[within?.type ?? ''] ?? 'PRIV_ROOT');
  if (within === null || within.root !== place.vnode) throw kernel.error('EINVAL');
  if (prison !== null && within.prison !== prison) throw kernel.error('EPERM');
  if ((flags & MNT_FORCE) === 0 && isBusy(kernel, within)) throw kernel.error('EBUSY');
  kernel.mounts.remove(within);
}

// The mount that a place lies in; null: the file system of the root directory.
function mountOf(kernel: Kernel, place: Place): Mount | null {
  for (let at: Place | null = place; at !== null; at = at.parent) {
    const found = kernel.mounts.rootedAt(at.vnode);
    if (found !== undefined) return found;
  }
  return null;
}

function isBusy(kernel: Kernel, { root }: Mount): boolean {
  const inside = (place: Place | null) => {
    for (let at = place; at !== null; at = at.parent) if (at.vnode === root) return true;
    return false;
  };
  const used = kernel.processes.all.some(
    (process) =>
      inside(process.cwd) ||
      inside(process.root) ||
      [...process.files.values()].some((file) => inside(file.place)),
  );
  return used || kernel.mounts.all.some(({ covers }) => inside(covers));
}

/** A row of getfsstat(2). */
export interface MountRow {
  /** The kernel’s name: `null`, `devfs`, `procfs`, `tmpfs`, … */
  readonly type: string;
  /** The source directory of a null mount, else the type. */
  readonly from: string;
  /** As the caller sees it; cut at 79 bytes. */
  readonly on: string;
  /** Its `f_fsid`. */
  readonly id: number;
  /** `MNT_RDONLY` and its kind, as mount(2) has them. */
  readonly flags: number;
}

/** getfsstat(2): what lies below the caller's root, and what that lies in. */
export function mountRows(kernel: Kernel, process: ProcessEntry): MountRow[] {
  const around = mountOf(kernel, process.root);
  const rows = kernel.mounts.all.flatMap((row) => {
    const path = row === around ? '/' : pathOf(row.covers, process.root);
    if (path === null) return [];
    const { type, from, id, flags } = row;
    return [{ type, from, id, flags, on: cutName(path) }];
  });
  return around === null ? [rootRow(kernel), ...rows] : rows;
}

function rootRow({ root, settings }: Kernel): MountRow {
  const { type } = root.vnode.fileSystem;
  return { type, from: settings.rootDevice, on: '/', id: 0, flags: 0 };
}

/** statfs(2): the mount that a path lies in. */
export function statfs(kernel: Kernel, process: ProcessEntry, path: string): MountRow {
  const within = mountOf(kernel, lookup(process, path));
  const row = mountRows(kernel, process).find(({ id }) => id === (within?.id ?? 0));
  if (row === undefined) throw kernel.error('ENOENT');
  return row;
}
