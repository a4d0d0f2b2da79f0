import { resolve } from 'node:path';
import type { MountSpec } from '../mounts.js';
import { Folder } from '../rootfs/folder.js';
import { prepareThinRoot } from '../rootfs/thin.js';
import type { JailSpec } from '../spec.js';
import { UsageError } from './failure.js';
import { makeThinFolder, removeThinFolder, sweepThinFolders } from './thin-folder.js';

/** A link, or a file. */
const NO_FOLDER = ['ELOOP', 'ENOTDIR'];

/** What was said of the root of a jail. */
export interface RootRequest {
  readonly path: string | undefined;
  readonly thin: boolean;
  readonly include: readonly string[];
}

/** The root of a jail that is to be made. */
export interface JailRoot {
  readonly spec: JailSpec;
  /** Removes what was made for this jail only; for after its end. */
  remove(): Promise<void>;
}

/**
 * Makes the root ready: a directory that is there, one that is prepared as a thin root, or a temporary one.
 *
 * @param request what was said of it
 * @param spec the rest of the jail
 * @throws UsageError; JailSystemError step `root`, as `prepareThinRoot()` does
 */
export async function openRoot(
  { path, thin, include }: RootRequest,
  spec: Omit<JailSpec, 'path'>,
): Promise<JailRoot> {
  const given = path === undefined ? undefined : resolve(path);
  if (given !== undefined && !thin) {
    if (include.length > 0) throw new UsageError('--include is for thin roots', 'add --thin');
    return { spec: { ...spec, path: given }, remove: async () => {} };
  }
  if (given !== undefined) return thinRoot(given, include, spec, async () => {});
  await sweepThinFolders();
  const folder = await makeThinFolder();
  const remove = () => removeThinFolder(folder);
  try {
    return await thinRoot(folder, include, spec, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function thinRoot(
  path: string,
  include: readonly string[],
  spec: Omit<JailSpec, 'path'>,
  remove: () => Promise<void>,
): Promise<JailRoot> {
  const { mounts } = await prepareThinRoot(path, { include });
  const own = spec.mounts ?? [];
  for (const { target } of own) await makeMountPoint(path, target);
  return { spec: { ...spec, path, mounts: mergeMounts(mounts, own) }, remove };
}

/** Those of the command line are in the place of those of the thin root that have the same target. */
export function mergeMounts(
  thin: readonly MountSpec[],
  own: readonly MountSpec[],
): readonly MountSpec[] {
  const targets = new Set(own.map(({ target }) => target));
  return [...thin.filter(({ target }) => !targets.has(target)), ...own];
}

// Only as far as there is no link on the way, which somebody in there may exchange for a folder at any time: the monitor
// refuses what is missing then.
async function makeMountPoint(root: string, target: string): Promise<void> {
  const names = target.split('/').filter((each) => each !== '' && each !== '.');
  if (names.includes('..')) return;
  const folders = [await Folder.open(root)];
  try {
    for (const name of names) folders.push(await (folders.at(-1) as Folder).folder(name));
  } catch (error) {
    if (!NO_FOLDER.includes(`${Reflect.get(error as object, 'code')}`)) throw error;
  } finally {
    for (const folder of folders) await folder.close();
  }
}
