import type { Mount } from './mount-table.js';
import type { Viewer } from './place.js';

/** What a node of a file system is. */
export type VnodeKind = 'directory' | 'file' | 'symlink' | 'fifo' | 'device' | 'socket';

/** A directory in which everybody finds something else. */
export interface Listing {
  find(name: string, viewer: Viewer): Vnode | undefined;
  names(viewer: Viewer): string[];
}

let lastDevice = 0;

/** One file system: it numbers its nodes. */
export class FileSystem {
  /** Its own number: what stat(2) tells of all of its nodes. */
  readonly device = ++lastDevice;
  readonly type: string;
  readonly root: Vnode;
  /** How many bytes its files may have together. */
  capacity = Number.POSITIVE_INFINITY;
  #nextInode: number;

  /**
   * @param type      `ufs`, `cd9660`, `tmpfs`, `devfs`, …
   * @param rootInode the number of its root; the others follow it
   */
  constructor(type: string, rootInode = 2) {
    this.type = type;
    this.#nextInode = rootInode;
    this.root = this.make('directory', '');
  }

  /** The bytes of its files. */
  get used(): number {
    return sizeOf(this.root);
  }

  /** A node that is nowhere yet. */
  make(kind: VnodeKind, name: string): Vnode {
    return new Vnode(this, this.#nextInode++, kind, name);
  }
}

/** A node of a file system. Its place in the tree is a `Place`. */
export class Vnode {
  readonly fileSystem: FileSystem;
  readonly inode: number;
  readonly kind: VnodeKind;
  /** As its directory has it; what it last was when it is gone. */
  name: string;
  /** Of a directory. */
  readonly entries = new Map<string, Vnode>();
  /** Of a symbolic link. */
  target = '';
  content: Uint8Array = new Uint8Array(0);
  /** Of a file that is made up when it is read; null: it has a content. */
  source: (() => Uint8Array) | null = null;
  /** Of a directory whose entries depend on who looks; null: {@link entries} are all. */
  listing: Listing | null = null;
  mode: number;
  /** `st_flags`, see chflags(2). */
  flags = 0;
  uid = 0;
  gid = 0;
  /** What is mounted on it. */
  mountedHere: Mount | null = null;

  constructor(fileSystem: FileSystem, inode: number, kind: VnodeKind, name: string) {
    this.fileSystem = fileSystem;
    this.inode = inode;
    this.kind = kind;
    this.name = name;
    this.mode = kind === 'directory' ? 0o755 : 0o644;
  }

  get isDirectory(): boolean {
    return this.kind === 'directory';
  }

  /** What somebody finds in it by a name. */
  find(name: string, viewer: Viewer): Vnode | undefined {
    return this.listing?.find(name, viewer) ?? this.entries.get(name);
  }

  names(viewer: Viewer): string[] {
    return [...(this.listing?.names(viewer) ?? []), ...this.entries.keys()];
  }

  read(): Uint8Array {
    return this.source?.() ?? this.content;
  }
}

function sizeOf(vnode: Vnode): number {
  return [...vnode.entries.values()].reduce(
    (sum, entry) => sum + sizeOf(entry),
    vnode.content.length,
  );
}
