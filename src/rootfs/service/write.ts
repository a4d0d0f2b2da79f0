import { randomBytes } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Folder } from '../folder.js';
import { rootError, rootFailure } from '../root-error.js';
import { Tree } from '../tree.js';
import {
  formatManifest,
  isServiceMarker,
  MARKER,
  MAX_MARKER,
  type Manifest,
  parseManifest,
} from './manifest.js';
import type { Planned, PlannedFile, PlannedFolder, RootPlan } from './plan.js';

type Undo = () => Promise<unknown>;

/** How files come into a root. */
export type Method = 'copy' | 'link';

const STAGE = /^\.dragonfly-jail\.(\d+)\.[0-9a-f]{16}$/;

/**
 * Makes what is planned in a directory that is missing, empty, or a service root already.
 *
 * Everything that takes long or may fail for want of space is done in a folder of its own first; then names are
 * changed, each at once for those that run in it. When something fails all of it is taken back.
 *
 * @param root absolute path
 * @param plan what it is to hold
 * @param method how files come there
 * @throws JailSystemError step `root`
 */
export async function writeRoot(root: string, plan: RootPlan, method: Method): Promise<void> {
  const first = await makeTop(root);
  try {
    const top = await Folder.open(root);
    try {
      await writeInto(top, plan, method);
    } finally {
      await top.close();
    }
  } catch (error) {
    if (first !== undefined) await removeFolders(root, first);
    throw error;
  }
}

/** Makes the directory and those above it; tells the first one that was not there. */
async function makeTop(root: string): Promise<string | undefined> {
  try {
    return await mkdir(root, { recursive: true });
  } catch (error) {
    throw rootError(error, root);
  }
}

async function removeFolders(root: string, first: string): Promise<void> {
  for (let path = root; path.length >= first.length; path = dirname(path)) {
    await rmdir(path).catch(() => {});
  }
}

async function writeInto(top: Folder, plan: RootPlan, method: Method): Promise<void> {
  const earlier = await claim(top);
  const name = `${MARKER}.${process.pid}.${randomBytes(8).toString('hex')}`;
  const stage = await top.folder(name, 0o700);
  try {
    const staged = await prepare(stage, plan, method);
    await new Exchange(top, stage).make(plan, staged, earlier);
  } finally {
    await emptyFolder(stage);
    await stage.close();
    await top.removeFolder(name);
  }
}

/** Finds out whether the directory is ours to change, and what is in it by an earlier build. */
async function claim(top: Folder): Promise<Manifest> {
  const names = await top.names();
  for (const name of names) await removeLeftStage(top, name);
  const marker = names.includes(MARKER) ? readMarker(top.path) : null;
  if (marker !== null) return parseManifest(marker);
  const foreign = names.some((name) => name !== 'lost+found' && !STAGE.test(name));
  if (foreign) throw rootFailure('ENOTEMPTY', 'scandir', top.path);
  return new Map();
}

function readMarker(root: string): string | null {
  const tree = Tree.open(root);
  try {
    const text = tree.text(`/${MARKER}`, MAX_MARKER);
    return text !== null && isServiceMarker(text) ? text : null;
  } finally {
    tree.close();
  }
}

/** What a killed build has left. */
async function removeLeftStage(top: Folder, name: string): Promise<void> {
  const pid = Number(STAGE.exec(name)?.[1]);
  if (Number.isNaN(pid) || isRunning(pid) || (await top.kindOf(name)) !== 'folder') return;
  const stage = await top.folder(name);
  await emptyFolder(stage);
  await stage.close();
  await top.removeFolder(name);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** It has files only. What a jail's root has put there else stays. */
async function emptyFolder(folder: Folder): Promise<void> {
  for (const name of await folder.names().catch(() => [])) {
    await folder.remove(name).catch(() => {});
  }
}

/** Makes every file under a number; tells the number by path. */
async function prepare(
  stage: Folder,
  plan: RootPlan,
  method: Method,
): Promise<ReadonlyMap<string, string>> {
  const staged = new Map<string, string>();
  for (const [path, entry] of plan.entries()) {
    if (entry.kind !== 'file') continue;
    const name = `${staged.size}`;
    await makeFile(stage, name, entry, method);
    staged.set(path, name);
  }
  return staged;
}

async function makeFile(
  stage: Folder,
  name: string,
  { from, mode, owner }: PlannedFile,
  method: Method,
): Promise<void> {
  if ('content' in from) return stage.create(name, from.content, mode, owner);
  const linked = method === 'link' && from.linkable && (await stage.hardLink(name, from.source));
  if (!linked) await stage.copy(name, from.source, mode, owner);
}

/** Puts a new state of a root in the place of an earlier one, or leaves it as it was. */
class Exchange {
  readonly #undo: Undo[] = [];
  #saved = 0;
  #open: { readonly path: string; readonly folder: Folder } | null = null;

  constructor(
    private readonly top: Folder,
    private readonly stage: Folder,
  ) {}

  async make(
    plan: RootPlan,
    staged: ReadonlyMap<string, string>,
    earlier: Manifest,
  ): Promise<void> {
    try {
      await this.#make(plan, staged, earlier);
    } catch (error) {
      for (const step of this.#undo.reverse()) await step().catch(() => {});
      throw error;
    } finally {
      await this.#close();
    }
  }

  async #make(
    plan: RootPlan,
    staged: ReadonlyMap<string, string>,
    earlier: Manifest,
  ): Promise<void> {
    const entries = plan.entries();
    const next = new Map(entries.map(([path, { kind }]) => [path, kind]));
    // First, so that what a killed build has made is known as ours.
    await this.#mark(new Map([...earlier, ...next]));
    await this.#removeObsolete(earlier, next);
    for (const [path, entry] of entries) await this.#place(path, entry, staged.get(path) ?? '');
    await this.top.chmod(0o755);
    await this.#mark(next);
  }

  async #mark(entries: Manifest): Promise<void> {
    await this.stage.create('marker', formatManifest(entries), 0o644, null);
    await this.#put(this.top, MARKER, 'marker');
  }

  /** What an earlier build made and this one does not, but directories with something in them. */
  async #removeObsolete(earlier: Manifest, next: Manifest): Promise<void> {
    const obsolete = [...earlier].filter(([path, kind]) => next.get(path) !== kind);
    // What is in a directory before the directory.
    for (const [path, kind] of obsolete.sort(([one], [other]) => (one < other ? 1 : -1))) {
      await this.#within(path, async (folder, name) => {
        const now = await folder.kindOf(name);
        if (kind === 'folder' && now === 'folder') await this.#removeFolder(folder, name);
        else if (now === kind) await this.#moveAway(folder, name);
      }).catch((error) => {
        if (!isGone(error)) throw error;
      });
    }
  }

  async #place(path: string, entry: Planned, staged: string): Promise<void> {
    await this.#within(path, async (folder, name) => {
      if (entry.kind === 'folder') await this.#makeFolder(folder, name, entry);
      else if (entry.kind === 'file') await this.#put(folder, name, staged);
      else if ((await folder.linkText(name)) !== entry.text) {
        const kind = await folder.kindOf(name);
        if (kind === 'folder') await this.#removeFolder(folder, name);
        else if (kind !== null) await this.#moveAway(folder, name);
        await folder.symlink(name, entry.text);
        this.#later(path, (again) => again.remove(name));
      }
    });
  }

  async #makeFolder(folder: Folder, name: string, { mode, owner }: PlannedFolder): Promise<void> {
    const made = await folder.makeFolder(name, mode, owner);
    if (made) this.#later(`${this.#pathOf(folder)}/${name}`, (again) => again.removeFolder(name));
  }

  async #removeFolder(folder: Folder, name: string): Promise<void> {
    if (!(await folder.removeFolder(name))) return;
    this.#later(`${this.#pathOf(folder)}/${name}`, (again) => again.makeFolder(name, 0o755, null));
  }

  /** Puts a file of the stage to its place, at once for who looks there; what was there goes to the stage. */
  async #put(folder: Folder, name: string, staged: string): Promise<void> {
    const kind = await folder.kindOf(name);
    if (kind === 'folder') throw rootFailure('EISDIR', 'rename', `${folder.path}/${name}`);
    const kept = kind === 'file' && (await this.#keep(folder, name));
    if (kind !== null && !kept) await this.#moveAway(folder, name);
    await folder.take(name, this.stage, staged);
    this.#later(`${this.#pathOf(folder)}/${name}`, (again) => again.remove(name));
  }

  /** Gives a file a second name in the stage; false where that cannot be. */
  async #keep(folder: Folder, name: string): Promise<boolean> {
    const saved = `old-${this.#saved++}`;
    if (!(await this.stage.hardLinkTo(saved, folder, name))) return false;
    this.#takeBackLater(folder, name, saved);
    return true;
  }

  async #moveAway(folder: Folder, name: string): Promise<void> {
    const saved = `old-${this.#saved++}`;
    await this.stage.take(saved, folder, name);
    this.#takeBackLater(folder, name, saved);
  }

  #takeBackLater(folder: Folder, name: string, saved: string): void {
    this.#later(`${this.#pathOf(folder)}/${name}`, (again) => again.take(name, this.stage, saved));
  }

  #later(path: string, step: (folder: Folder) => Promise<unknown>): void {
    this.#undo.push(() => this.#within(path, step));
  }

  #pathOf(folder: Folder): string {
    return folder.path.slice(this.top.path.length);
  }

  /** Opens the directory that a path is in, through no link, for one thing to be done there. */
  async #within(
    path: string,
    work: (folder: Folder, name: string) => Promise<unknown>,
  ): Promise<void> {
    const slash = path.lastIndexOf('/');
    const folder = await this.#openFolder(path.slice(0, slash));
    await work(folder, path.slice(slash + 1));
  }

  // The one that was opened last stays open: entries are in the order of their directories.
  async #openFolder(path: string): Promise<Folder> {
    if (path === '') return this.top;
    if (this.#open?.path === path) return this.#open.folder;
    await this.#close();
    let folder = this.top;
    for (const name of path.split('/').slice(1)) folder = await this.#down(folder, name);
    this.#open = { path, folder };
    return folder;
  }

  async #down(folder: Folder, name: string): Promise<Folder> {
    try {
      return await folder.existing(name);
    } finally {
      if (folder !== this.top) await folder.close();
    }
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.folder.close();
  }
}

// What an earlier build made may be gone, or something else by now.
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '');
}
