import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package: the first above this file that has a package.json. */
export function packageFolder(from = fileURLToPath(import.meta.url)): string {
  const folder = dirname(from);
  if (folder === from || existsSync(join(folder, 'package.json'))) return folder;
  return packageFolder(folder);
}
