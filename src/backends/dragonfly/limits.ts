import { unsupported } from '../../errors.js';
import { UNLIMITED } from '../../limits.js';
import type { ResolvedSpec } from '../../spec.js';
import { checkListingBudget } from './jail-list.js';

/** `MNAMELEN` without its NUL: rules of devfs match the name that was mounted, which is cut there. */
const MAX_DEVFS_PATH = 79;

/**
 * Refuses what DragonFly cannot do of a spec, capabilities apart.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`, `ERR_JAIL_LIMIT`
 */
export function checkSpec(spec: ResolvedSpec): void {
  checkLimits(spec);
  checkDevfs(spec);
  const { path, hostname } = spec;
  checkListingBudget({ path, hostname, addresses: spec.addresses.map(({ address }) => address) });
}

function checkLimits({ limits }: ResolvedSpec): void {
  for (const name of ['memory', 'processes'] as const) {
    if (limits[name] === UNLIMITED) continue;
    const hint = 'limit single processes (as, nproc), or run the commands as another user';
    throw unsupported(`limits.${name}`, 'DragonFly has no limit of a whole jail', hint);
  }
}

function checkDevfs({ path, mounts }: ResolvedSpec): void {
  for (const { type, target } of mounts) {
    const bytes = Buffer.byteLength(path === '/' ? target : path + target);
    if (type !== 'devfs' || bytes <= MAX_DEVFS_PATH) continue;
    const reason = `the rules that hide disks and memory need a path of at most ${MAX_DEVFS_PATH} bytes`;
    throw unsupported(`A devfs on a path of ${bytes} bytes`, reason, 'use a shorter path');
  }
}
