import { dirname, join } from 'node:path';
import { invalidValue } from '../../errors.js';

/** Whose a file is, in numbers; null leaves it to who makes it. */
export interface Owner {
  readonly uid: number | null;
  readonly gid: number | null;
}

/** Where a file comes from. */
export type FileOrigin =
  | {
      readonly source: string;
      /** It may be the same file: nothing about it is to be different. */
      readonly linkable: boolean;
    }
  | { readonly content: string | Uint8Array };

/** A file of the root. */
export interface PlannedFile {
  readonly kind: 'file';
  /** A path of the system, or what is in it. */
  readonly from: FileOrigin;
  readonly mode: number;
  readonly owner: Owner | null;
  /** The program that needs it; null for what was asked for, or belongs to every root. */
  readonly neededBy: string | null;
}

/** A directory of the root. */
export interface PlannedFolder {
  readonly kind: 'folder';
  /** For a new one. */
  readonly mode: number;
  readonly owner: Owner | null;
}

/** A symbolic link of the root. */
export interface PlannedLink {
  readonly kind: 'link';
  readonly text: string;
}

/** What one path of the root is to be. */
export type Planned = PlannedFile | PlannedFolder | PlannedLink;

const MAX_LINKS = 40;

/**
 * What a root is to hold, by path; a path is one without links in it.
 *
 * Nothing is made of it before all of it is known.
 */
export class RootPlan {
  readonly #entries = new Map<string, Planned>([
    ['/', { kind: 'folder', mode: 0o755, owner: null }],
  ]);

  /** Everything, a directory before what is in it; the root itself is left out. */
  entries(): [string, Planned][] {
    const all = [...this.#entries].filter(([path]) => path !== '/');
    return all.sort(([one], [other]) => (one < other ? -1 : 1));
  }

  get(path: string): Planned | undefined {
    return this.#entries.get(path);
  }

  /** Has a directory made, and those above it. @param name the argument that asks for it */
  folder(path: string, name: string, about: Partial<Omit<PlannedFolder, 'kind'>> = {}): void {
    const place = this.#withoutLinks(path, name);
    const known = this.#entries.get(place);
    if (known !== undefined && known.kind !== 'folder') throw taken(place, name);
    if (known !== undefined && about.mode === undefined && about.owner === undefined) return;
    this.#above(place, name);
    this.#entries.set(place, { kind: 'folder', mode: 0o755, owner: null, ...about });
  }

  /** Has a link made. Where a directory is in its place already, that stays. */
  link(path: string, text: string, name: string): void {
    const place = join(this.#withoutLinks(dirname(path), name), path.slice(path.lastIndexOf('/')));
    const known = this.#entries.get(place);
    if (known?.kind === 'folder') return;
    if (known?.kind === 'file') throw taken(place, name);
    this.#above(place, name);
    this.#entries.set(place, { kind: 'link', text });
  }

  /** Has a file made; the last one to ask for a path has its way. */
  file(path: string, name: string, about: Omit<PlannedFile, 'kind'>): void {
    const place = this.#withoutLinks(path, name);
    if (this.#entries.get(place)?.kind === 'folder') throw taken(place, name);
    this.#above(place, name);
    this.#entries.set(place, { kind: 'file', ...about });
  }

  /** Is there to be a file, by links or not? */
  holdsFile(path: string): boolean {
    try {
      return this.#entries.get(this.#withoutLinks(path, 'path'))?.kind === 'file';
    } catch {
      return false;
    }
  }

  #above(path: string, name: string): void {
    if (path !== '/') this.folder(dirname(path), name);
  }

  /** Where a path leads by the links that are planned. */
  #withoutLinks(path: string, name: string): string {
    let place = '/';
    let met = 0;
    const rest = path.split('/').filter(Boolean).reverse();
    for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
      if (part === '.' || part === '..') {
        place = join(place, part);
        continue;
      }
      const next = join(place, part);
      const entry = this.#entries.get(next);
      if (entry?.kind === 'file' && rest.length > 0) throw taken(next, name);
      if (entry?.kind !== 'link') {
        place = next;
        continue;
      }
      if (++met > MAX_LINKS) throw invalidValue(name, 'a path without links in a circle', path);
      if (entry.text.startsWith('/')) place = '/';
      rest.push(...entry.text.split('/').filter(Boolean).reverse());
    }
    return place;
  }
}

function taken(path: string, name: string): Error {
  return invalidValue(name, 'a path that is no directory and no file at the same time', path);
}
