import { lstat } from 'node:fs/promises';
import { type as systemType } from 'node:os';
import { join } from 'node:path';
import { selectBackend } from '../backends/select.js';
import type { Jail } from '../jail.js';

/**
 * Is there a file inside a jail? No symbolic link is followed on the way: what the jail's root can plant there must not
 * lead out of it.
 *
 * @param jail whose
 * @param pid  a process of the jail: on Linux what is mounted in a jail is seen by way of it only
 * @param path absolute, inside the jail
 */
export async function existsInside(jail: Jail, pid: number, path: string): Promise<boolean> {
  const { inside } = selectBackend();
  if (inside !== null) return inside.exists(jail.jid, path);
  let at = systemType() === 'Linux' ? `/proc/${pid}/root` : jail.info().path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return false;
  for (const [index, part] of parts.entries()) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    const isLast = index === parts.length - 1;
    if (found === null || (!isLast && !found.isDirectory())) return false;
  }
  return true;
}
