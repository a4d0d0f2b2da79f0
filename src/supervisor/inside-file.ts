import { lstat } from 'node:fs/promises';
import { type as systemType } from 'node:os';
import { join } from 'node:path';

/**
 * Is there a file inside a jail? No symbolic link is followed on the way: what the jail's root can plant there must not
 * lead out of it.
 *
 * @param root the jail's `/` on the host
 * @param pid  a process of the jail: on Linux what is mounted in a jail is seen by way of it only
 * @param path absolute, inside the jail
 */
export async function existsInside(root: string, pid: number, path: string): Promise<boolean> {
  let at = systemType() === 'Linux' ? `/proc/${pid}/root` : root;
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
