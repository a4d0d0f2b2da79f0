import type { Credential } from './credential.js';
import { fail } from './kernel-error.js';
import type { Vnode } from './vnode.js';

/** A node together with the way to it: what the kernel calls a namecache handle. */
export class Place {
  readonly vnode: Vnode;
  /** Null for the root of everything. */
  readonly parent: Place | null;
  /** What this mount's root lies on, if it is one: that has the name. */
  readonly covered: Vnode | null;

  constructor(vnode: Vnode, parent: Place | null, covered: Vnode | null = null) {
    this.vnode = vnode;
    this.parent = parent;
    this.covered = covered;
  }

  get name(): string {
    return (this.covered ?? this.vnode).name;
  }

  /** The same place, however it was reached? */
  is(other: Place): boolean {
    return this.vnode === other.vnode;
  }

  /** One level down, onto what is mounted there. */
  child(vnode: Vnode): Place {
    let at = vnode;
    while (at.mountedHere !== null) at = at.mountedHere.root;
    return new Place(at, this, at === vnode ? null : vnode);
  }
}

/** Whose view of the tree it is. */
export interface Viewer {
  readonly root: Place;
  readonly cwd: Place;
  /** Effective. */
  readonly uid: number;
  readonly pid: number;
  readonly credential: Credential;
}

const MAX_SYMLINKS = 32;
const MAX_COMPONENT = 255;
const MAX_PATH = 1024;

/** How a lookup is to end. */
export interface LookupOptions {
  /** The last component may be a symbolic link. Default: it is followed. */
  readonly noFollow?: boolean;
  /** Where a relative path starts. Default: the working directory. */
  readonly from?: Place;
}

/**
 * Looks a path up.
 *
 * @throws KernelError ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG
 */
export function lookup(viewer: Viewer, path: string, options: LookupOptions = {}): Place {
  if (path === '') fail('ENOENT');
  if (Buffer.byteLength(path) >= MAX_PATH) fail('ENAMETOOLONG');
  return new Lookup(viewer, options.noFollow ?? false).walk(path, options.from ?? viewer.cwd);
}

class Lookup {
  readonly #viewer: Viewer;
  readonly #noFollow: boolean;
  #links = 0;

  constructor(viewer: Viewer, noFollow: boolean) {
    this.#viewer = viewer;
    this.#noFollow = noFollow;
  }

  walk(path: string, from: Place): Place {
    let at = path.startsWith('/') ? this.#viewer.root : from;
    const parts = path.split('/').filter((part) => part !== '');
    const directory = path.endsWith('/');
    for (const [index, part] of parts.entries()) {
      const last = index === parts.length - 1;
      at = this.#step(at, part, last && this.#noFollow && !directory);
    }
    if (directory && !at.vnode.isDirectory) fail('ENOTDIR');
    return at;
  }

  #step(at: Place, part: string, keepLink: boolean): Place {
    if (!at.vnode.isDirectory) fail('ENOTDIR');
    if (!maySearch(at.vnode, this.#viewer.uid)) fail('EACCES');
    if (part === '.') return at;
    if (part === '..') return this.#up(at);
    if (Buffer.byteLength(part) > MAX_COMPONENT) fail('ENAMETOOLONG');
    const vnode = at.vnode.find(part, this.#viewer);
    if (vnode === undefined) fail('ENOENT');
    if (vnode.kind !== 'symlink' || keepLink) return at.child(vnode);
    if (++this.#links > MAX_SYMLINKS) fail('ELOOP');
    return this.walk(vnode.target, at);
  }

  // Above the root of everything everybody finds his own root: a process whose working directory is outside of it too.
  #up(at: Place): Place {
    if (at.is(this.#viewer.root)) return at;
    return at.parent ?? this.#viewer.root;
  }
}

/** May this user look things up in the directory? */
export function maySearch(directory: Vnode, uid: number): boolean {
  return mayAccess(directory, uid, 0o1);
}

/** May this user do it? Bits as in the lowest three of a mode; groups are not modelled. */
export function mayAccess(vnode: Vnode, uid: number, bits: number): boolean {
  if (uid === 0) return true;
  const granted = vnode.uid === uid ? vnode.mode >> 6 : vnode.mode;
  return (granted & bits) === bits;
}

/**
 * The path of a place as somebody sees it, see getcwd(3).
 *
 * @returns null when it is not below their root
 */
export function pathOf(place: Place, root: Place): string | null {
  const parts: string[] = [];
  for (let at: Place | null = place; at !== null; at = at.parent) {
    if (at.is(root)) return `/${parts.reverse().join('/')}`;
    parts.push(at.name);
  }
  return null;
}
