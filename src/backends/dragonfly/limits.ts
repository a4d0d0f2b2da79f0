import { type JailError, unsupported } from '../../errors.js';
import { UNLIMITED } from '../../limits.js';
import type { ResolvedSpec } from '../../spec.js';
import { checkHostnameRoom, checkListingBudget } from './jail-list.js';

/**
 * Refuses what DragonFly cannot do of a spec, capabilities apart.
 *
 * @throws JailError `ERR_JAIL_UNSUPPORTED`, `ERR_JAIL_LIMIT`
 */
export function checkSpec(spec: ResolvedSpec): void {
  checkLimits(spec);
  checkHardening(spec);
  const { path, hostname } = spec;
  const addresses = spec.addresses.map(({ address }) => address);
  checkListingBudget({ path, hostname, addresses });
  if (spec.capabilities.setHostname) checkHostnameRoom({ path, addresses });
}

function checkHardening({ readOnly, noNewPrivileges }: ResolvedSpec): void {
  if (readOnly) {
    const hint = 'mount a read-only nullfs at the path, and let the jail begin there';
    throw unsupported('readOnly', 'a root on DragonFly is a directory of the host’s', hint);
  }
  if (noNewPrivileges) throw noSuchPrivileges();
}

/** What DragonFly has for neither a jail nor a command. */
export function noSuchPrivileges(): JailError {
  const hint = 'leave set-user-id programs out of the root, or mount it with nosuid';
  return unsupported('noNewPrivileges', 'DragonFly always heeds set-user-id bits', hint);
}

function checkLimits({ limits }: ResolvedSpec): void {
  for (const name of ['memory', 'processes'] as const) {
    if (limits[name] === UNLIMITED) continue;
    const hint = 'limit single processes (as, nproc), or run the commands as another user';
    throw unsupported(`limits.${name}`, 'DragonFly has no limit of a whole jail', hint);
  }
}
