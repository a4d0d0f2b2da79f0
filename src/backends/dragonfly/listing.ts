import type { JailInfo, ProcessInfo } from '../../reports.js';
import { capabilityNodes, hasOwnNodes } from './capability-nodes.js';
import { confirmRows, type JailListing, type JailRow, parseJailList } from './jail-list.js';
import { failedWith, type KernelReads, nodeExists, readPatiently } from './kernel-reads.js';
import { decodeProcesses, isKernelThread, type KernelProcess, processInfo } from './kinfo.js';
import { decodeStrings, decodeWholeText } from './sysctl-value.js';

/** What this package knows of a jail beside the kernel. */
export interface OwnEntry {
  readonly jid: number;
  readonly name: string | null;
  readonly hostname: string;
  readonly path: string;
  readonly addresses: JailInfo['addresses'];
  readonly stopping: boolean;
  readonly owned: boolean;
}

const KERN_PROC_ALL = [1, 14, 0];
const KERN_PROC_ARGS = [1, 14, 7];
const ZOMBIE = 4;

/** `jail.list` as it is now. Inside a jail it is always empty. */
export function readListing(reads: KernelReads): JailListing {
  return parseJailList(decodeWholeText(readPatiently(() => reads.get('jail.list'))));
}

/**
 * All jails of the host, by jid.
 *
 * @param reads     the kernel
 * @param entries   those of this package: they have names, and paths and addresses that nobody can have forged
 * @param lingering those that have ended: the kernel has their rows still, and they are no jails any more
 */
export function listJails(
  reads: KernelReads,
  entries: readonly OwnEntry[],
  lingering: readonly { readonly jid: number }[],
): JailInfo[] {
  const readable = readListingIfAny(reads);
  const listing = readable ?? parseJailList('');
  const living = livingByJail(reads);
  const exists = (jid: number) => jailExists(reads, jid, living);
  const confirmed = confirmRows(listing, exists);
  const infos = new Map<number, JailInfo>();
  for (const row of listing.rows) {
    infos.set(row.jid, kernelInfo(row, confirmed.has(row.jid), living.get(row.jid) ?? 0));
  }
  // A process in one, and it is somebody's jail all the same.
  for (const { jid } of lingering) if (!living.has(jid)) infos.delete(jid);
  for (const entry of entries) {
    // Of a number without nodes and without processes nobody knows better than its own monitor.
    if (hasOwnNodes(entry.jid) && !exists(entry.jid)) continue;
    const row = infos.get(entry.jid);
    infos.set(entry.jid, ownInfo(entry, row, living.get(entry.jid) ?? 0));
  }
  if (readable === null) {
    for (const jid of living.keys()) if (!infos.has(jid)) infos.set(jid, unlisted(jid));
  }
  return [...infos.values()].sort((a, b) => a.jid - b.jid);
}

// One jail whose root chose a long hostname can have the kernel refuse the list to everybody. Its own jails this package
// knows, of others that they have processes.
function readListingIfAny(reads: KernelReads): JailListing | null {
  try {
    return readListing(reads);
  } catch (error) {
    if (failedWith(error, 'ERANGE')) return null;
    throw error;
  }
}

function unlisted(jid: number): JailInfo {
  const nothing = { name: null, hostname: '', path: '', addresses: [] };
  return { jid, ...nothing, state: 'running', confirmed: false, owned: false };
}

// Other jails keep quiet about their addresses' scopes and about their names.
function kernelInfo(row: JailRow, confirmed: boolean, processes: number): JailInfo {
  return {
    jid: row.jid,
    name: null,
    hostname: row.hostname,
    path: row.path,
    addresses: [...row.addresses],
    state: processes > 0 ? 'running' : 'empty',
    confirmed,
    owned: false,
  };
}

// Of a row that may be forged only the hostname can be somebody else's choice, and it is anyway.
function ownInfo(entry: OwnEntry, row: JailInfo | undefined, processes: number): JailInfo {
  const { jid, name, path, owned } = entry;
  const state = entry.stopping ? 'stopping' : processes > 0 ? 'running' : 'empty';
  const hostname = row?.confirmed === true ? row.hostname : entry.hostname;
  return {
    jid,
    name,
    hostname,
    path,
    addresses: [...entry.addresses],
    state,
    confirmed: true,
    owned,
  };
}

/** Is there a jail of that number, by its nodes or by its processes? */
export function jailExists(
  reads: KernelReads,
  jid: number,
  living: ReadonlyMap<number, number>,
): boolean {
  if ((living.get(jid) ?? 0) > 0) return true;
  if (!hasOwnNodes(jid)) return false;
  return nodeExists(reads, `jail.${jid}.${capabilityNodes.setHostname.jail}`);
}

function livingByJail(reads: KernelReads): Map<number, number> {
  const living = new Map<number, number>();
  for (const { jid, state } of readProcesses(reads)) {
    if (jid !== 0 && state !== ZOMBIE) living.set(jid, (living.get(jid) ?? 0) + 1);
  }
  return living;
}

/** All processes in the kernel's terms, its own threads left out. */
export function readProcesses(reads: KernelReads): KernelProcess[] {
  const bytes = readPatiently(() => reads.getMib(KERN_PROC_ALL));
  return decodeProcesses(bytes, reads.layout).filter((process) => !isKernelThread(process));
}

/** All processes of the host, or of one jail, as the API shows them. */
export function listProcesses(reads: KernelReads, jid: number | null): ProcessInfo[] {
  return readProcesses(reads)
    .filter((process) => jid === null || process.jid === jid)
    .map((process) => processInfo(process, readArguments(reads, process)));
}

// Of one that has ended meanwhile: none.
function readArguments(reads: KernelReads, { pid, state }: KernelProcess): string[] {
  if (state === ZOMBIE) return [];
  try {
    return decodeStrings(reads.getMib([...KERN_PROC_ARGS, pid]));
  } catch {
    return [];
  }
}

/**
 * Signals every process of a jail, looking again until a look finds nobody new: one could fork meanwhile.
 *
 * @param signal the kernel's number
 * @returns how many were signalled
 */
export function signalJail(reads: KernelReads, jid: number, signal: number): number {
  const signalled = new Set<string>();
  for (;;) {
    const fresh = readProcesses(reads).filter(
      (process) =>
        process.jid === jid && process.state !== ZOMBIE && !signalled.has(identity(process)),
    );
    if (fresh.length === 0) return signalled.size;
    for (const process of fresh) {
      signalled.add(identity(process));
      reads.kill(process.pid, signal);
    }
    if (signal === 0) return signalled.size;
  }
}

// A number alone may be somebody else's by now.
function identity({ pid, startTime }: KernelProcess): string {
  return `${pid}:${startTime}`;
}
