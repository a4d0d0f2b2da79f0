import type { Place } from './place.js';
import type { Prison } from './prison.js';
import type { Vnode } from './vnode.js';

/** A mounted file system. */
export interface Mount {
  /** The kernel's name: `null`, `devfs`, `procfs`, `tmpfs`, … */
  readonly type: string;
  /** Where it came from: the source directory of a null mount, else the type. */
  readonly from: string;
  /** As mount(2) was given it. */
  readonly on: string;
  /** As mount(2) was given them. */
  readonly flags: number;
  /** Its `f_fsid`. */
  readonly id: number;
  /** The directory that is seen there. */
  readonly root: Vnode;
  /** What it hides. */
  readonly covers: Place;
  /** Whose process mounted it: such a mount keeps the jail alive. */
  readonly prison: Prison | null;
}

/** What is mounted, in order. */
export class MountTable {
  readonly #mounts: Mount[] = [];
  #nextId = 1;

  get all(): readonly Mount[] {
    return this.#mounts;
  }

  add(mount: Omit<Mount, 'id'>): Mount {
    const added = { ...mount, id: this.#nextId++ };
    this.#mounts.push(added);
    mount.covers.vnode.mountedHere = added;
    added.prison?.hold(added);
    return added;
  }

  /** The same with other flags. */
  change(mount: Mount, flags: number): Mount {
    const changed = { ...mount, flags };
    this.#mounts[this.#mounts.indexOf(mount)] = changed;
    mount.covers.vnode.mountedHere = changed;
    mount.prison?.hold(changed);
    mount.prison?.release(mount);
    return changed;
  }

  remove(mount: Mount): void {
    this.#mounts.splice(this.#mounts.indexOf(mount), 1);
    mount.covers.vnode.mountedHere = null;
    mount.prison?.release(mount);
  }

  /** Nothing is mounted any more. */
  reboot(): void {
    for (const mount of [...this.#mounts].reverse()) this.remove(mount);
  }

  /** The mount that this is the root of. */
  rootedAt(vnode: Vnode): Mount | undefined {
    return this.#mounts.find(({ root }) => root === vnode);
  }
}
