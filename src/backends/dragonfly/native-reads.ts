import type { RawJail } from '../../native.js';
import { type CompiledField, compiledLayout } from './compiled-layout.js';
import type { KernelReads } from './kernel-reads.js';

/** What the addon has on DragonFly beside the rest. Failures are errors with `code`, negative `errno` and `syscall`. */
export interface DragonflyNative {
  /** The table of native/dragonfly/abi.hh. */
  compiledFields(): readonly CompiledField[];
  /** sysctl(3), by name or by numbers: the whole value. */
  sysctlGet(node: string | readonly number[]): Uint8Array;
  /** sysctl(3): writes a value. */
  sysctlSet(node: string, value: Uint8Array): void;
}

/** What the addon knows of jails that have ended. */
export interface LingeringNative {
  /** Jails of a registry that have ended and that the kernel still lists. */
  lingeringJails(stateDir: string): RawLingering[];
  /** TCP connections that no process has any more. */
  endingConnections(): RawConnection[];
}

/** What the registry noted of a jail when it ended. */
export type RawLingering = Pick<
  RawJail,
  'jid' | 'name' | 'hostname' | 'path' | 'addresses' | 'scopeids'
>;

/** A TCP connection. */
export interface RawConnection {
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly remotePort: number;
  /** As netstat(1) calls it. */
  readonly state: string;
}

/** Has this addon the calls of DragonFly? */
export function isDragonflyNative(native: object): native is DragonflyNative {
  const names = ['compiledFields', 'sysctlGet', 'sysctlSet'];
  return names.every((name) => typeof Reflect.get(native, name) === 'function');
}

/** Can it tell of jails that have ended? */
export function isLingeringNative(native: object): native is LingeringNative {
  const names = ['lingeringJails', 'endingConnections'];
  return names.every((name) => typeof Reflect.get(native, name) === 'function');
}

/** The kernel by way of the addon. */
export function nativeReads(native: DragonflyNative): KernelReads {
  return {
    layout: compiledLayout(native.compiledFields()),
    get: (name) => native.sysctlGet(name),
    getMib: (mib) => native.sysctlGet(mib),
    set: (name, value) => native.sysctlSet(name, value),
    kill: (pid, signal) => signalProcess(pid, signal),
  };
}

function signalProcess(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
