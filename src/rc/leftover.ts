import { setTimeout as delay } from 'node:timers/promises';
import { Jail } from '../jail.js';
import { findRunning } from './find-running.js';
import type { ResolvedOptions } from './options.js';
import type { RcJail } from './rc-jail.js';

/** Between making a jail and writing its id file another program needs a few ms. */
const PATIENCE_MS = 250;

/**
 * Ends a jail that was started here and has no id file. rc.d/jail has stopped it, which knows nothing of jails without
 * processes; or the program that started it was killed.
 *
 * @param jail which
 * @param idFile where its jid would be
 * @param options how long its processes have
 * @returns was there one?
 */
export async function endLeftover(
  jail: RcJail,
  idFile: string,
  { graceMs }: ResolvedOptions,
): Promise<boolean> {
  if (findRunning(jail, idFile).leftover === null) return false;
  await delay(PATIENCE_MS);
  const { leftover } = findRunning(jail, idFile);
  if (leftover === null) return false;
  const opened = await Jail.open(leftover.jid);
  await opened.stop({ graceMs });
  return true;
}
