import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { loadNative, type Native, nativeFailure } from '../native.js';
import { monitorPatience } from './patience.js';

// What fits into sockaddr_un on Linux. State directories below a long $XDG_RUNTIME_DIR do not.
const MAX_SOCKET_PATH = 107;

/** Where monitors come from and where their jails are registered. */
export interface MonitorHost {
  readonly native: Native;
  /** The path of `jail-monitor`. */
  readonly program: string;
  readonly stateDir: string;
  /** How long a monitor may be silent, ms. */
  readonly patienceMs: number;
}

/**
 * The addon and its monitor, for one state directory.
 *
 * @throws JailError `ERR_JAIL_NATIVE`; `ERR_INVALID_ARG_VALUE`: an environment variable
 */
export function monitorHost(stateDir: string): MonitorHost {
  const { native, monitor } = loadNative();
  return { native, program: monitor, stateDir, patienceMs: monitorPatience() };
}

/** Starts a monitor; failures carry step `monitor`. */
export async function startMonitor(host: MonitorHost): Promise<{ pid: number; fd: number }> {
  try {
    return await host.native.startMonitor(host.program);
  } catch (error) {
    throw nativeFailure(error, { step: 'monitor', path: host.program });
  }
}

/** Connects to the monitor of a persistent jail; failures carry step `monitor`. */
export function connectMonitor(host: MonitorHost, path: string, jid: number): number {
  let folder: number | null = null;
  try {
    const { native, stateDir } = host;
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) {
      return native.connectMonitor(path, stateDir, jid);
    }
    folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    return native.connectMonitor(`/proc/self/fd/${folder}/${basename(path)}`, stateDir, jid);
  } catch (error) {
    throw nativeFailure(error, { step: 'monitor', path, jid });
  } finally {
    if (folder !== null) closeSync(folder);
  }
}
