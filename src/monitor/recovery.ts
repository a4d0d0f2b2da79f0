import { setTimeout as delay } from 'node:timers/promises';
import type { JailEnd } from '../backends/backend.js';
import type { MonitorHost } from './host.js';

const ATTEMPTS = 100;
const WAIT_MS = 20;

/**
 * Undoes what a monitor that died left of its jail. The connection ends a moment before the monitor's process does,
 * and only then does its jail count as dead: hence the patience.
 *
 * @param jid 0: of a jail that was still being made, whose number is not known
 * @returns whether the jail is gone
 */
export async function recoverJail(host: MonitorHost, jid: number): Promise<JailEnd> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await recoverQuietly(host, jid);
    if (jid === 0 || !isThere(host, jid)) return 'gone';
    await delay(WAIT_MS);
  }
  return 'closed';
}

/** Is the jail in the registry, alive? */
export function isThere(host: MonitorHost, jid: number): boolean {
  try {
    return host.native.findEntry(host.stateDir, jid) !== null;
  } catch {
    return false; // no registry, no jail
  }
}

// What cannot be undone now is reported by recover(), to whoever asks.
async function recoverQuietly(host: MonitorHost, jid: number): Promise<void> {
  await host.native.recover(host.stateDir, jid).catch(() => []);
}
