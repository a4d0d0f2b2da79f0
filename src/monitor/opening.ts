import { setTimeout as delay } from 'node:timers/promises';
import { JailError, jailNotFound } from '../errors.js';
import type { MonitorConnection } from './connection.js';
import type { MonitorHost } from './host.js';
import { isThere } from './recovery.js';

// Between two looks at a jail that has lost its monitor, or whose monitor does not listen yet.
const WAIT_MS = 20;
const ATTEMPTS = 50;

// What comes of a jail whose end has begun, and of a monitor that has just begun.
const IN_BETWEEN = new Set(['ECONNREFUSED', 'ENOENT', 'ENODEV', 'ESRCH']);

/**
 * Opens a jail that was found a moment ago. One that has ended since was not found.
 *
 * @param host where
 * @param id   what was asked for
 * @param jid  what was found
 * @param open opens it; it is tried again while the jail is there and nobody listens
 * @throws JailError `ERR_JAIL_NOT_FOUND`, and what `open` throws
 */
export async function orNotFound(
  host: MonitorHost,
  id: number | string,
  jid: number,
  open: () => Promise<MonitorConnection>,
): Promise<MonitorConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof JailError)) throw error;
      if (!isThere(host, jid)) throw jailNotFound(id);
      if (!IN_BETWEEN.has(error.code) || attempt === ATTEMPTS) throw error;
      await delay(WAIT_MS);
    }
  }
}
