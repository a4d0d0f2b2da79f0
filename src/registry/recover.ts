import { JailSystemError } from '../errors.js';
import type { MonitorHost } from '../monitor/host.js';
import { nativeFailure, type RawRecovered } from '../native.js';
import type { RecoveredJail } from '../reports.js';

/**
 * Undoes what all dead monitors of a state directory left.
 *
 * @param host where
 * @returns one report per jail that had left something
 */
export async function recoverAll({ native, stateDir }: MonitorHost): Promise<RecoveredJail[]> {
  try {
    return (await native.recover(stateDir, 0)).map((raw) => recoveredJail(raw));
  } catch (error) {
    throw nativeFailure(error, { step: 'unregister' });
  }
}

function recoveredJail(raw: RawRecovered): RecoveredJail {
  const failed = raw.failed.map(({ what, error }) => ({ what, error: systemError(error, raw) }));
  return { jid: raw.jid, name: raw.name || null, undone: [...raw.undone], failed };
}

function systemError(error: unknown, { jid }: RawRecovered): JailSystemError {
  const failure = nativeFailure(error, { step: 'unregister', jid });
  if (failure instanceof JailSystemError) return failure;
  const details = { errno: 0, syscall: 'unknown', step: 'unregister', jid, cause: failure };
  return new JailSystemError({ ...details, code: 'UNKNOWN', description: failure.message });
}

/** State directories in which dead monitors were looked for. */
const swept = new Set<string>();

/**
 * Undoes on the side, once per state directory, what an earlier program could not, since it was killed together with
 * its monitor. Nobody has to wait for it; what does not work out is for {@link recoverAll} to tell.
 *
 * @param host where
 */
export function sweepOnce({ native, stateDir }: MonitorHost): void {
  if (swept.has(stateDir)) return;
  swept.add(stateDir);
  native.recover(stateDir, 0).catch(() => {});
}
