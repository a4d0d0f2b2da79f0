import { lstat } from 'node:fs/promises';
import { type as systemType } from 'node:os';
import { join } from 'node:path';
import type { Looked } from './listening.js';

/**
 * Is there a file inside a jail? No symbolic link is followed on the way: what the jail's root can plant there must not
 * lead out of it.
 *
 * @param jail whose
 * @param path absolute, inside the jail
 */
export async function existsInside(jail: Looked, path: string): Promise<boolean> {
  if (jail.inside !== null) return jail.inside.exists(jail.jid, path);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return false;
  const root = await rootOf(jail);
  return root !== null && leadsTo(root, parts);
}

// On Linux what is mounted in a jail is seen by way of its processes only.
async function rootOf(jail: Looked): Promise<string | null> {
  if (systemType() !== 'Linux') return jail.info().path;
  for (const { pid } of jail.processes()) {
    const root = `/proc/${pid}/root`;
    if ((await lstat(`${root}/`).catch(() => null)) !== null) return root;
  }
  return null;
}

async function leadsTo(root: string, parts: readonly string[]): Promise<boolean> {
  let at = root;
  for (const [index, part] of parts.entries()) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    const isLast = index === parts.length - 1;
    if (found === null || (!isLast && !found.isDirectory())) return false;
  }
  return true;
}
