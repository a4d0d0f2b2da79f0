import { MNT_FORCE } from './calls/mount-flags.js';
import { KernelError } from './kernel-error.js';
import type { ModelProcess } from './model-process.js';
import type { Mount } from './mount-table.js';
import { during } from './translate.js';

/** Names of this length may have been cut, see `f_mntonname`. */
const CUT = 79;

/** Unmounts by its number: the name may have been changed since, and something else may lie on it. */
export function unmountOne(monitor: ModelProcess, mounted: Mount): void {
  const where = { step: 'mount', syscall: 'unmount', path: mounted.on };
  during(where, () => {
    const row = monitor.getfsstat().find(({ id }) => id === mounted.id);
    if (row === undefined) return;
    const path = pathTo(monitor, row.on, mounted.id);
    if (path === null) throw monitor.error('EBUSY');
    monitor.unmount(path, MNT_FORCE);
  });
}

// What is at the path that the kernel names, or below where the name ends; null: something else lies on it.
function pathTo(monitor: ModelProcess, name: string, id: number): string | null {
  if (isAt(monitor, name, id)) return name;
  if (Buffer.byteLength(name) < CUT) return null;
  const slash = name.lastIndexOf('/');
  const [parent, beginning] = [name.slice(0, slash) || '/', name.slice(slash + 1)];
  const first = foldersIn(monitor, parent).filter((entry) => entry.startsWith(beginning));
  return search(
    monitor,
    first.map((entry) => `${parent}/${entry}`),
    id,
  );
}

// Level by level: the first directory that lies in the mount is where it begins.
function search(monitor: ModelProcess, level: readonly string[], id: number): string | null {
  if (level.length === 0) return null;
  const found = level.find((path) => isAt(monitor, path, id));
  if (found !== undefined) return found;
  const next = level.flatMap((path) => foldersIn(monitor, path).map((entry) => `${path}/${entry}`));
  return search(monitor, next, id);
}

function isAt(monitor: ModelProcess, path: string, id: number): boolean {
  return attempt(() => monitor.statfs(path).id === id) ?? false;
}

// Links lead elsewhere.
function foldersIn(monitor: ModelProcess, path: string): string[] {
  const names = attempt(() => monitor.readdir(path)) ?? [];
  return names.filter(
    (name) => attempt(() => monitor.lstat(`${path}/${name}`).kind === 'directory') ?? false,
  );
}

function attempt<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof KernelError) return null;
    throw error;
  }
}
