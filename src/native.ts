import { JailError, JailSystemError } from './errors.js';
import { loadForHost } from './loader/load.js';

/** A jail as the registry has it. */
export interface RawJail {
  readonly jid: number;
  /** Empty: none. */
  readonly name: string;
  /** As the kernel has it now. */
  readonly hostname: string;
  readonly path: string;
  /** Separated by spaces. */
  readonly addresses: string;
  /** One per address, separated by spaces; 0: none. */
  readonly scopeids: string;
  readonly state: 'running' | 'empty' | 'stopping';
  readonly persist: boolean;
  readonly monitorPid: number;
  readonly anchorPid: number;
  /** See capabilities.ts. */
  readonly capabilities: number;
  readonly idBase: number;
  readonly idCount: number;
  /** Where a persistent jail's monitor listens; empty: it does not. */
  readonly socket: string;
}

/** Processes as the addon reads them: see src/backends/linux/process-table.ts. */
export interface RawProcesses {
  /** So many for each process. */
  readonly numbers: Float64Array;
  /** For each process its name, its terminal if it has one, and its arguments. */
  readonly texts: readonly string[];
}

/** What a dead monitor's jail left and what became of it. */
export interface RawRecovered {
  readonly jid: number;
  /** Empty or null: none. */
  readonly name: string | null;
  readonly undone: readonly string[];
  readonly failed: readonly { readonly what: string; readonly error: unknown }[];
}

/** Of a name. */
export type RawStats = readonly [
  mode: number,
  size: number,
  uid: number,
  gid: number,
  nlink: number,
  dev: number,
  ino: number,
];

/**
 * The addon. It checks the types of its arguments and decides nothing. Its failures are errors with `code`, negative
 * `errno` and `syscall`: see {@link nativeFailure}.
 */
export interface Native {
  /** The system it was compiled for. */
  readonly system: 'linux' | 'dragonfly' | 'other';
  errnoName(errno: number): string;
  errnoMessage(errno: number): string;
  /** Starts the monitor in a session of its own; `fd` is our end of its socket. Does not block. */
  startMonitor(file: string): Promise<{ pid: number; fd: number }>;
  /** The raw wait status; null: it still runs; -1: it is not our child. */
  reapMonitor(pid: number): number | null;
  /** Connects to the socket of a jail's monitor. EPERM: whoever listens there is not that. */
  connectMonitor(path: string, stateDir: string, jid: number): number;
  /** sendmsg(2) of the first `size` bytes without waiting: how many were taken, 0 when there is no room. */
  send(fd: number, bytes: Uint8Array, size: number, fds: readonly number[]): number;
  /** The read end and the write end, which anybody may open again by /dev/stdout; roomy: where much is to be expected. */
  pipe(roomy: boolean): [number, number];
  /** Two connected UNIX stream sockets. */
  socketPair(): [number, number];
  /**
   * The master, which does not block, and the slave; where the last close of a slave waits for its readers, a second one
   * that does not: to be closed after the first.
   */
  openPty(columns: number, rows: number): [master: number, slave: number, hold?: number];
  resizePty(fd: number, columns: number, rows: number): void;
  close(fd: number): void;
  isOpen(fd: number): boolean;
  /** The same file by another number. */
  duplicate(fd: number): number;
  /** The living jails of a registry. */
  listEntries(stateDir: string): RawJail[];
  /**
   * What may have changed about the jails of a registry: see src/registry/listing.ts. Null: this registry cannot tell.
   */
  scanJails(stateDir: string): Uint32Array | null;
  /** By jid or by name. */
  findEntry(stateDir: string, id: number | string): RawJail | null;
  /** Undoes what dead monitors left: of one jail, or of all (0). Does not block. */
  recover(stateDir: string, jid: number): Promise<RawRecovered[]>;
  /** As openat(2): by an open directory and a name in it. The descriptor is for node:fs to close. */
  openAt(folder: number, name: string, flags: number, mode: number): number;
  mkdirAt(folder: number, name: string, mode: number): void;
  renameAt(from: number, oldName: string, to: number, newName: string): void;
  unlinkAt(folder: number, name: string): void;
  rmdirAt(folder: number, name: string): void;
  symlinkAt(text: string, folder: number, name: string): void;
  linkAt(from: number, oldName: string, to: number, newName: string): void;
  readlinkAt(folder: number, name: string): string;
  /** Not of what a link leads to; null: there is none. */
  statAt(folder: number, name: string): RawStats | null;
  namesAt(folder: number): string[];
  /** flock(2) without waiting; false: somebody else has it. */
  lockFile(fd: number, exclusive: boolean): boolean;
  /** Removes a directory and what is in it, by descriptors, following nothing. Does not block. */
  removeTree(folder: number, name: string): Promise<void>;
  /** Every process of the host. */
  listProcesses(stateDir: string): RawProcesses;
  /** The processes of one jail; no other is looked at. */
  jailProcesses(stateDir: string, jid: number): RawProcesses;
  /** Signals every process of a jail: how many there were. */
  signalJail(stateDir: string, jid: number, signal: number): number;
  /** Can this kernel filter by source what comes from a jail? Tries it in a network of its own; as root. */
  canFilterSources(): boolean;
}

/** The loaded addon and the monitor that belongs to it. */
export interface LoadedNative {
  readonly native: Native;
  /** The path of `jail-monitor`. */
  readonly monitor: string;
}

let loaded: LoadedNative | null = null;

/**
 * The addon, loaded on first use: importing the package stays cheap, and works where there is no addon at all. Where
 * it is looked for: src/loader.
 *
 * @throws JailError `ERR_JAIL_NATIVE`, with every place and what was wrong there
 */
export function loadNative(): LoadedNative {
  loaded ??= loadForHost();
  return loaded;
}

/**
 * An error of the addon as one of this package's.
 *
 * @param error what it threw; an error that is not the system's passes unchanged
 * @param details what the addon could not know: the step, the jail, the path
 */
export function nativeFailure(
  error: unknown,
  details: { step?: string; path?: string; jid?: number } = {},
): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { errno, syscall, code, step, path } = error as NodeJS.ErrnoException & { step?: string };
  if (error instanceof JailError) return error;
  if (code?.startsWith('ERR_JAIL_')) return ownFailure(code, error.message, step || details.step);
  if (typeof errno !== 'number') return error;
  return new JailSystemError({
    errno,
    code: typeof code === 'string' ? code : undefined,
    syscall: syscall ?? 'unknown',
    step: step || details.step,
    path: path || details.path,
    jid: details.jid,
  });
}

// "CODE: what, and what to do about it" of the addon.
function ownFailure(code: string, text: string, step: string | undefined): JailError {
  const message = text.slice(text.startsWith(`${code}: `) ? code.length + 2 : 0).replace(/\.$/, '');
  return Object.assign(new JailError(code, message), step === undefined ? {} : { step });
}
