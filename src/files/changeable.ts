import { listJails } from '../list.js';

/** What of a jail tells which directories of the host it can change. */
export interface Changing {
  readonly path: string;
  readonly mounts?:
    | readonly { readonly source?: string | undefined; readonly readOnly?: boolean | undefined }[]
    | undefined;
}

/**
 * The directories of the host that jails can change: the roots of those that live, and of these their roots and what is
 * shared with them.
 *
 * @param jails that live, or will
 */
export function changeableBy(jails: readonly Changing[]): string[] {
  return [...jails.flatMap(ownDirectories), ...livingRoots()];
}

function ownDirectories({ path, mounts = [] }: Changing): string[] {
  const shared = mounts.filter(({ readOnly }) => readOnly !== true);
  return [path, ...shared.flatMap(({ source }) => source ?? [])];
}

// Where none can be listed, there is none of this user's.
function livingRoots(): string[] {
  try {
    return listJails().map(({ path }) => path);
  } catch {
    return [];
  }
}
