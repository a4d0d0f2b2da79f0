import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JailError, JailSystemError } from './errors.js';

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

/** A process as the addon reads it. */
export interface RawProcess {
  readonly pid: number;
  readonly jailPid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly jid: number;
  readonly uid: number;
  readonly gid: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly state: 'running' | 'sleeping' | 'stopped' | 'zombie' | 'idle' | 'dumping';
  /** ms since 1970. */
  readonly startTime: number;
  /** Bytes. */
  readonly rss: number;
  /** Bytes. */
  readonly virtualSize: number;
  /** ms. */
  readonly cpuTime: number;
  readonly threads: number;
  readonly tty: string | null;
}

/** What a dead monitor's jail left and what became of it. */
export interface RawRecovered {
  readonly jid: number;
  /** Empty or null: none. */
  readonly name: string | null;
  readonly undone: readonly string[];
  readonly failed: readonly { readonly what: string; readonly error: unknown }[];
}

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
  /** Connects to a UNIX socket. */
  connectMonitor(path: string): number;
  /** sendmsg(2) without waiting: how many bytes were taken, 0 when there is no room. */
  send(fd: number, bytes: Uint8Array, fds: readonly number[]): number;
  /** The read end and the write end. */
  pipe(): [number, number];
  /** Two connected UNIX stream sockets. */
  socketPair(): [number, number];
  /** The master, which does not block, and the slave. */
  openPty(columns: number, rows: number): [number, number];
  resizePty(fd: number, columns: number, rows: number): void;
  close(fd: number): void;
  isOpen(fd: number): boolean;
  /** The same file by another number. */
  duplicate(fd: number): number;
  /** The living jails of a registry. */
  listEntries(stateDir: string): RawJail[];
  /** By jid or by name. */
  findEntry(stateDir: string, id: number | string): RawJail | null;
  /** Undoes what dead monitors left: of one jail, or of all (0). Does not block. */
  recover(stateDir: string, jid: number): Promise<RawRecovered[]>;
  /** Every process of the host. */
  listProcesses(stateDir: string): RawProcess[];
  /** The processes of one jail; no other is looked at. */
  jailProcesses(stateDir: string, jid: number): RawProcess[];
  /** Signals every process of a jail: how many there were. */
  signalJail(stateDir: string, jid: number, signal: number): number;
}

/** The loaded addon and the monitor that belongs to it. */
export interface LoadedNative {
  readonly native: Native;
  /** The path of `jail-monitor`. */
  readonly monitor: string;
}

const ADDON = 'jail.node';
const MONITOR = 'jail-monitor';

let loaded: LoadedNative | null = null;

/**
 * The addon, loaded on first use: importing the package stays cheap, and works where there is no addon at all.
 *
 * Looked for in this order: the file or folder that the environment variable `DRAGONFLY_JAIL_NATIVE` names (then
 * nowhere else), `build/Release/` and `prebuilds/<system>-<architecture>/` of the package. `jail-monitor` must lie
 * beside it.
 *
 * @throws JailError `ERR_JAIL_NATIVE`, with every place and what was wrong there
 */
export function loadNative(): LoadedNative {
  loaded ??= findNative(candidateFolders());
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
  if (error instanceof JailError || typeof errno !== 'number') return error;
  return new JailSystemError({
    errno,
    code: typeof code === 'string' ? code : undefined,
    syscall: syscall ?? 'unknown',
    step: step || details.step,
    path: path || details.path,
    jid: details.jid,
  });
}

function candidateFolders(): readonly string[] {
  const override = process.env.DRAGONFLY_JAIL_NATIVE;
  if (override) return [override.endsWith('.node') ? dirname(override) : override];
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  // Not process.platform: it is 'freebsd' on DragonFly too, and a binary of the one must not be loaded on the other.
  const system = `${systemType().toLowerCase()}-${process.arch}`;
  return [join(root, 'build', 'Release'), join(root, 'prebuilds', system)];
}

function findNative(folders: readonly string[]): LoadedNative {
  const problems: string[] = [];
  for (const folder of folders) {
    try {
      return loadFrom(folder);
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      problems.push(`  ${folder}: ${reason}`);
    }
  }
  const message = `The native part of dragonfly-jail could not be loaded. Looked in:\n${problems.join('\n')}`;
  const hint = 'run npm rebuild dragonfly-jail, or npm run build in a checkout';
  throw new JailError('ERR_JAIL_NATIVE', message, { hint });
}

function loadFrom(folder: string): LoadedNative {
  const addon = join(folder, ADDON);
  const monitor = join(folder, MONITOR);
  if (!existsSync(addon)) throw new Error(`there is no ${ADDON}`);
  if (!existsSync(monitor) || !statSync(monitor).isFile())
    throw new Error(`there is no ${MONITOR}`);
  try {
    accessSync(monitor, constants.X_OK);
  } catch {
    throw new Error(`${MONITOR} is not executable`);
  }
  // Not require(): the first one of a program costs more than all the rest of loading.
  const module = { exports: {} as Native };
  process.dlopen(module, addon);
  return { native: module.exports, monitor };
}
