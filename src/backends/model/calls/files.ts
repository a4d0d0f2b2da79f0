import { layout59 } from '../../dragonfly/layout-5.9.js';
import { fail, KernelError } from '../kernel-error.js';
import type { Kernel } from '../kernel-state.js';
import { OpenFile } from '../open-file.js';
import { lookup, mayAccess, type Place, pathOf } from '../place.js';
import type { ProcessEntry } from '../process.js';
import type { Vnode, VnodeKind } from '../vnode.js';
import { assertOpens } from './device.js';
import { isLocked } from './file-flags.js';
import { MNT_NOEXEC, MNT_RDONLY } from './mount-flags.js';
import { assertPrivileged } from './privilege.js';
import { deliver } from './signals.js';
import { assertCloses } from './terminals.js';

/** Part of `struct stat`. */
export interface ModelStat {
  /** `st_ino`. */
  readonly inode: number;
  /** The number of its file system. */
  readonly device: number;
  /** What it is. */
  readonly kind: VnodeKind;
  /** The permissions, 0 to 0o7777. */
  readonly mode: number;
  /** Its owner. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
  /** `st_flags`, see chflags(2). */
  readonly flags: number;
}

/** The lowest free descriptor. @throws KernelError EMFILE: the process has as many as its limit allows */
export function install(process: ProcessEntry, file: OpenFile): number {
  let fd = 0;
  while (process.files.has(fd)) fd++;
  const limit = process.limits.get('nofile')?.soft;
  if (limit !== undefined && BigInt(fd) >= limit) fail('EMFILE');
  process.files.set(fd, file.retain());
  return fd;
}

/** @throws KernelError EBADF */
export function fileOf(kernel: Kernel, process: ProcessEntry, fd: number): OpenFile {
  const file = process.files.get(fd);
  if (file === undefined) throw kernel.error('EBADF');
  return file;
}

/** open(2) for reading. */
export function open(kernel: Kernel, process: ProcessEntry, path: string, from?: Place): number {
  const place = lookup(process, path, from === undefined ? {} : { from });
  if (!mayAccess(place.vnode, process.uid, 0o4)) throw kernel.error('EACCES');
  assertOpens(kernel, process, place.vnode);
  const kind = place.vnode.isDirectory ? 'directory' : 'file';
  return install(process, new OpenFile(kind, process.credential, { place }));
}

/** openat(2) for reading. */
export function openAt(kernel: Kernel, process: ProcessEntry, fd: number, path: string): number {
  return open(kernel, process, path, directoryOf(kernel, process, fd));
}

/** close(2). */
export function close(kernel: Kernel, process: ProcessEntry, fd: number): void {
  const file = fileOf(kernel, process, fd);
  assertCloses(file);
  process.files.delete(fd);
  file.release();
}

/** closefrom(2). */
export function closeFrom(process: ProcessEntry, first: number): void {
  for (const [fd, file] of [...process.files]) {
    if (fd < first) continue;
    process.files.delete(fd);
    file.release();
  }
}

/** chdir(2). */
export function chdir(kernel: Kernel, process: ProcessEntry, path: string): void {
  process.cwd = searchable(kernel, process, lookup(process, path));
}

/** fchdir(2). */
export function fchdir(kernel: Kernel, process: ProcessEntry, fd: number): void {
  process.cwd = searchable(kernel, process, directoryOf(kernel, process, fd));
}

function searchable(kernel: Kernel, process: ProcessEntry, place: Place): Place {
  if (!place.vnode.isDirectory) throw kernel.error('ENOTDIR');
  if (!mayAccess(place.vnode, process.uid, 0o1)) throw kernel.error('EACCES');
  return place;
}

function directoryOf(kernel: Kernel, process: ProcessEntry, fd: number): Place {
  const { place } = fileOf(kernel, process, fd);
  if (place === null) throw kernel.error('ENOTDIR');
  return place;
}

/** getcwd(3). @throws KernelError ENOENT: it is outside of the root */
export function getcwd(kernel: Kernel, process: ProcessEntry): string {
  const path = pathOf(process.cwd, process.root);
  if (path === null) throw kernel.error('ENOENT');
  return path;
}

/** realpath(3). */
export function realpath(kernel: Kernel, process: ProcessEntry, path: string): string {
  const found = pathOf(lookup(process, path), process.root);
  if (found === null) throw kernel.error('ENOENT');
  return found;
}

/** stat(2), or lstat(2). */
export function stat(process: ProcessEntry, path: string, noFollow = false): ModelStat {
  const { vnode } = lookup(process, path, { noFollow });
  const { inode, kind, mode, uid, gid, flags } = vnode;
  return { inode, device: vnode.fileSystem.device, kind, mode, uid, gid, flags };
}

/** mkdir(2), mkfifo(2), symlink(2), and open(2) with O_CREAT: makes a node. */
export function create(
  kernel: Kernel,
  process: ProcessEntry,
  path: string,
  kind: VnodeKind,
): Vnode {
  if (kind === 'device') assertPrivileged(kernel, process, 'PRIV_VFS_MKNOD_DEV');
  const { place, directory, name } = parentOf(kernel, process, path);
  if (directory.entries.has(name)) throw kernel.error('EEXIST');
  if (isReadOnly(place)) throw kernel.error('EROFS');
  if (!mayAccess(directory, process.uid, 0o2)) throw kernel.error('EACCES');
  const vnode = directory.fileSystem.make(kind, name);
  vnode.uid = process.uid;
  vnode.gid = process.credential.gid;
  directory.entries.set(name, vnode);
  return vnode;
}

/** rename(2) to where nothing is. */
export function rename(kernel: Kernel, process: ProcessEntry, from: string, to: string): void {
  const source = parentOf(kernel, process, from);
  const target = parentOf(kernel, process, to);
  const vnode = source.directory.entries.get(source.name);
  if (vnode === undefined) throw kernel.error('ENOENT');
  if (target.directory.entries.has(target.name)) throw kernel.error('EEXIST');
  source.directory.entries.delete(source.name);
  target.directory.entries.set(target.name, vnode);
  vnode.name = target.name;
}

/** rmdir(2). Whose root it was keeps it, under the name that it had. */
export function rmdir(kernel: Kernel, process: ProcessEntry, path: string): void {
  const { directory, name } = parentOf(kernel, process, path);
  const vnode = directory.entries.get(name);
  if (vnode === undefined) throw kernel.error('ENOENT');
  if (!vnode.isDirectory) throw kernel.error('ENOTDIR');
  if (vnode.mountedHere !== null) throw kernel.error('EBUSY');
  if (vnode.entries.size > 0) throw kernel.error('ENOTEMPTY');
  directory.entries.delete(name);
}

/** unlink(2). */
export function unlink(kernel: Kernel, process: ProcessEntry, path: string): void {
  const { place, directory, name } = parentOf(kernel, process, path);
  const vnode = directory.entries.get(name);
  if (vnode === undefined) throw kernel.error('ENOENT');
  if (vnode.isDirectory || isLocked(vnode)) throw kernel.error('EPERM');
  if (isReadOnly(place)) throw kernel.error('EROFS');
  if (!mayAccess(directory, process.uid, 0o2)) throw kernel.error('EACCES');
  directory.entries.delete(name);
}

function parentOf(
  kernel: Kernel,
  process: ProcessEntry,
  path: string,
): { place: Place; directory: Vnode; name: string } {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  const name = trimmed.slice(slash + 1);
  if (name === '' || name === '.' || name === '..') throw kernel.error('EINVAL');
  const parent = slash < 0 ? '.' : trimmed.slice(0, slash) || '/';
  const place = lookup(process, parent);
  if (!place.vnode.isDirectory) throw kernel.error('ENOTDIR');
  return { place, directory: place.vnode, name };
}

/** open(2) and read(2) of a whole file. Devices have nothing to read. */
export function readWhole(kernel: Kernel, process: ProcessEntry, path: string): Uint8Array {
  const { vnode } = lookup(process, path);
  if (!mayAccess(vnode, process.uid, 0o4)) throw kernel.error('EACCES');
  if (vnode.isDirectory) throw kernel.error('EISDIR');
  assertOpens(kernel, process, vnode);
  return vnode.read();
}

/** How a file is opened for writing. */
export interface WriteOptions {
  /** `O_APPEND` instead of `O_TRUNC`. */
  readonly append?: boolean;
}

/** open(2) with O_CREAT. @returns what write(2) of that descriptor does */
export function openForWriting(
  kernel: Kernel,
  process: ProcessEntry,
  path: string,
  options: WriteOptions = {},
): (bytes: Uint8Array) => void {
  const vnode = writable(kernel, process, path);
  if (vnode.kind === 'device') return () => {};
  if (options.append !== true) vnode.content = new Uint8Array(0);
  return (bytes) => append(kernel, process, vnode, bytes);
}

function writable(kernel: Kernel, process: ProcessEntry, path: string): Vnode {
  let place: Place;
  try {
    place = lookup(process, path);
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'ENOENT') throw error;
    return create(kernel, process, path, 'file');
  }
  const { vnode } = place;
  if (vnode.isDirectory) throw kernel.error('EISDIR');
  if (isReadOnly(place) && vnode.kind !== 'device') throw kernel.error('EROFS');
  if (!mayAccess(vnode, process.uid, 0o2)) throw kernel.error('EACCES');
  return vnode;
}

// Beyond the limit of a file's size there is a signal, and for those who ignore it the error.
function append(kernel: Kernel, process: ProcessEntry, vnode: Vnode, bytes: Uint8Array): void {
  const limit = process.limits.get('fsize')?.soft;
  const size = vnode.content.length + bytes.length;
  if (limit !== undefined && BigInt(size) > limit) {
    deliver(kernel, process, layout59.signals.SIGXFSZ ?? 25);
    throw kernel.error('EFBIG');
  }
  const { fileSystem } = vnode;
  const isFull =
    Number.isFinite(fileSystem.capacity) && fileSystem.used + bytes.length > fileSystem.capacity;
  if (isFull) throw kernel.error('ENOSPC');
  vnode.content = Buffer.concat([vnode.content, bytes]);
}

/** chmod(2). */
export function chmod(kernel: Kernel, process: ProcessEntry, path: string, mode: number): void {
  const { vnode } = lookup(process, path);
  if (process.uid !== 0 && process.uid !== vnode.uid) throw kernel.error('EPERM');
  vnode.mode = mode & 0o7777;
}

/** chown(2). */
export function chown(
  kernel: Kernel,
  process: ProcessEntry,
  path: string,
  uid: number,
  gid: number,
): void {
  const { vnode } = lookup(process, path);
  if (process.uid !== 0) throw kernel.error('EPERM');
  vnode.uid = uid;
  vnode.gid = gid;
}

/** readlink(2). @throws KernelError EINVAL: it is no symbolic link */
export function readlink(kernel: Kernel, process: ProcessEntry, path: string): string {
  const { vnode } = lookup(process, path, { noFollow: true });
  if (vnode.kind !== 'symlink') throw kernel.error('EINVAL');
  return vnode.target;
}

/** The names in a directory, as getdents(2) tells them, without `.` and `..`. */
export function names(kernel: Kernel, process: ProcessEntry, path: string): string[] {
  const { vnode } = lookup(process, path);
  if (!vnode.isDirectory) throw kernel.error('ENOTDIR');
  if (!mayAccess(vnode, process.uid, 0o4)) throw kernel.error('EACCES');
  return vnode.names(process);
}

/** What execve(2) reads of a file. @throws KernelError EACCES: it is no program, or may not be one here; ENOEXEC */
export function interpreterOf(kernel: Kernel, process: ProcessEntry, path: string): string[] {
  const place = lookup(process, path);
  const { kind, content } = place.vnode;
  const executable = mayAccess(place.vnode, process.uid, 0o1) && (place.vnode.mode & 0o111) !== 0;
  if (kind !== 'file' || !executable || (flagsOf(place) & MNT_NOEXEC) !== 0) {
    throw kernel.error('EACCES');
  }
  const [line = ''] = Buffer.from(content).toString('latin1').split('\n');
  if (!line.startsWith('#!')) throw kernel.error('ENOEXEC');
  return line.slice(2).trim().split(/\s+/);
}

function isReadOnly(place: Place): boolean {
  return (flagsOf(place) & MNT_RDONLY) !== 0;
}

// Those of the nearest mount on the way up.
function flagsOf(place: Place): number {
  for (let at: Place | null = place; at !== null; at = at.parent) {
    let mount = at.covered?.mountedHere ?? null;
    while (mount?.root.mountedHere) mount = mount.root.mountedHere;
    if (mount !== null) return mount.flags;
  }
  return 0;
}
