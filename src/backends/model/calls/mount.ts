import type { CapabilityName } from '../../../capabilities.js';
import { deviceFileSystem, emptyFileSystem } from '../file-systems.js';
import type { Kernel } from '../kernel-state.js';
import type { Mount } from '../mount-table.js';
import { lookup, type Place, pathOf } from '../place.js';
import type { ProcessEntry } from '../process.js';
import type { Vnode } from '../vnode.js';
import { MNT_FORCE } from './mount-flags.js';
import { hasCapability } from './privilege.js';

const CAPABILITIES: Readonly<Record<string, CapabilityName>> = {
  null: 'mountNullfs',
  tmpfs: 'mountTmpfs',
  devfs: 'mountDevfs',
  procfs: 'mountProcfs',
};
/** File systems that nothing can be mounted on. */
const NO_STACKING = ['devfs', 'procfs'];
/** `MNAMELEN`: longer names are cut. */
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

/** mount(2): the path is looked up following symbolic links. */
export function mount(kernel: Kernel, process: ProcessEntry, request: MountRequest): Mount {
  mayMount(kernel, process, request.type);
  const covers = lookup(process, request.path);
  if (!covers.vnode.isDirectory) throw kernel.error('ENOTDIR');
  if (NO_STACKING.includes(covers.vnode.fileSystem.type)) throw kernel.error('EPERM');
  const below = kernel.mounts.rootedAt(covers.vnode);
  if (below !== undefined && !mayStack(below, request)) throw kernel.error('EBUSY');
  const root = rootOf(kernel, process, request);
  return kernel.mounts.add({
    type: request.type,
    from: request.source ?? request.type,
    on: request.path.slice(0, NAME_SIZE - 1),
    flags: request.flags,
    root,
    covers,
    prison: process.credential.prison,
  });
}

// Seen on a real kernel, see docs/dragonfly.md: two null mounts on one directory lie on each other.
function mayStack(below: Mount, { type }: MountRequest): boolean {
  return below.type === 'null' && type === 'null';
}

function mayMount(kernel: Kernel, process: ProcessEntry, type: string): void {
  const { prison } = process.credential;
  if (process.uid !== 0) throw kernel.error('EPERM');
  if (prison === null) return;
  const name = CAPABILITIES[type];
  if (kernel.settings.userMount || name === undefined) throw kernel.error('EPERM');
  if (!hasCapability(kernel, prison, name)) throw kernel.error('EPERM');
}

function rootOf(kernel: Kernel, process: ProcessEntry, request: MountRequest): Vnode {
  if (request.type === 'devfs') return deviceFileSystem(kernel.deviceRules.get(request.path)).root;
  if (request.type === 'procfs') return emptyFileSystem('procfs').root;
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

/** unmount(2). */
export function unmount(kernel: Kernel, process: ProcessEntry, path: string, flags: number): void {
  const { vnode } = lookup(process, path);
  const found = kernel.mounts.rootedAt(vnode);
  if (found === undefined) throw kernel.error('EINVAL');
  const { prison } = process.credential;
  if (process.uid !== 0) throw kernel.error('EPERM');
  if (prison !== null && found.prison !== prison) throw kernel.error('EPERM');
  if ((flags & MNT_FORCE) === 0 && isBusy(kernel, found)) throw kernel.error('EBUSY');
  kernel.mounts.remove(found);
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

/** getfsstat(2): the mounts below the caller's root. */
export function mountRows(kernel: Kernel, process: ProcessEntry): MountRow[] {
  return kernel.mounts.all.flatMap((row) => {
    const path = pathOf(row.covers, process.root);
    if (path === null) return [];
    const { type, from, id, flags } = row;
    return [{ type, from, id, flags, on: path.slice(0, NAME_SIZE - 1) }];
  });
}
