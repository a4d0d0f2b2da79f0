import { selectBackend } from './backends/select.js';
import type { RecoveredJail } from './reports.js';

/**
 * Undoes what jails have left on the host whose monitors were killed together with everything else: registry entries
 * and control groups on Linux; mounts, address aliases and device rules on DragonFly. Running jails are not touched.
 * The first `Jail.create()` of a program does the same on the side.
 *
 * @returns one report per jail that had left something; what could not be undone is told there, and tried again
 *   the next time
 * @throws JailError `ERR_JAIL_NATIVE`, `ERR_JAIL_UNSUPPORTED`; JailSystemError when the registry cannot be read
 * @see umount(2), rmdir(2)
 * @example
 * for (const { jid, undone } of await recover()) console.log(`jail ${jid}: ${undone.join(', ')}`);
 */
export async function recover(): Promise<RecoveredJail[]> {
  return selectBackend().recover();
}
