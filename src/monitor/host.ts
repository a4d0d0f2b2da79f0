import { loadNative, type Native, nativeFailure } from '../native.js';

/** Where monitors come from and where their jails are registered. */
export interface MonitorHost {
  readonly native: Native;
  /** The path of `jail-monitor`. */
  readonly program: string;
  readonly stateDir: string;
}

/**
 * The addon and its monitor, for one state directory.
 *
 * @throws JailError `ERR_JAIL_NATIVE`
 */
export function monitorHost(stateDir: string): MonitorHost {
  const { native, monitor } = loadNative();
  return { native, program: monitor, stateDir };
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
  try {
    return host.native.connectMonitor(path);
  } catch (error) {
    throw nativeFailure(error, { step: 'monitor', path, jid });
  }
}
