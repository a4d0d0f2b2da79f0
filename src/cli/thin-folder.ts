import { readlinkSync } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listJails } from '../list.js';

// The name says who made the folder: `dfjail-run-<pid>-<pid namespace>-<random>`. Pids of another namespace say nothing.
const PREFIX = 'dfjail-run-';
const OPEN = 0o700;
const NAME = /^dfjail-run-([0-9]+)-([0-9]+)-[A-Za-z0-9]{6}$/;

/**
 * Makes a folder for the thin root of one jail. It is for its maker to remove; if that is killed, the next one to call
 * {@link sweepThinFolders} does.
 *
 * @returns its path
 */
export async function makeThinFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-${pidNamespace()}-`));
}

/** The folder that {@link makeThinFolder} would make, as a plan shows it. */
export function plannedThinFolder(): string {
  return join(tmpdir(), `${PREFIX}${process.pid}-${pidNamespace()}-XXXXXX`);
}

/** Was that folder made by {@link makeThinFolder}, in this program or another? */
export function isThinFolder(path: string): boolean {
  const folder = tmpdir();
  return path.startsWith(`${folder}/`) && NAME.test(path.slice(folder.length + 1));
}

/** Removes the folder of a jail that has ended, with everything that the jail has left in it. */
export async function removeThinFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // An ordinary user cannot look into what the jail has closed.
    await openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(path: string): Promise<void> {
  await chmod(path, OPEN);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}

/**
 * Removes the folders whose makers are dead and that no jail has as its root.
 *
 * @returns the paths of those that were removed
 */
export async function sweepThinFolders(): Promise<readonly string[]> {
  const folder = tmpdir();
  const names = (await readdir(folder)).filter((name) => name.startsWith(PREFIX));
  const orphans = names.filter(isOrphan).map((name) => join(folder, name));
  if (orphans.length === 0) return [];
  const used = new Set(listJails().map(({ path }) => path));
  const removed: string[] = [];
  for (const path of orphans) {
    if (used.has(path) || !(await isOwnFolder(path))) continue;
    await removeThinFolder(path);
    removed.push(path);
  }
  return removed;
}

function isOrphan(name: string): boolean {
  const [, pid, namespace] = NAME.exec(name) ?? [];
  return pid !== undefined && namespace === pidNamespace() && !isThere(Number(pid));
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

// Anybody can make folders of any name in /tmp.
async function isOwnFolder(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => null);
  return stats?.isDirectory() === true && stats.uid === process.geteuid?.();
}

// '0' where there are no such namespaces.
function pidNamespace(): string {
  try {
    return /[0-9]+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}
