// What a jail adds to a Linux host: by the kernel's own files, so as not to believe the package about itself.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Counts, Watched } from './counts.js';

export function countOnLinux(watched: Watched): Counts {
  const folder = basename(watched.folder);
  const namespaces = mountNamespaces(folder);
  return {
    processes: descendants(process.pid).length,
    mounts: namespaces.reduce((sum, text) => sum + text.split('\n').length - 1, 0),
    interfaces: names('/sys/class/net').filter((name) => mayBeOurs(name, watched.jid)).length,
    'registry entries': registryEntries(watched.registry, folder),
  };
}

/** The entries of a registry that are about jails in a folder. */
export function registryEntries(registry: string, folder: string): number {
  const jails = join(registry, 'jails');
  const entries = names(jails).map((jid) => read(join(jails, jid, 'entry')));
  return entries.filter((text) => text.includes(folder)).length;
}

// Of all namespaces in which the folder is mounted somewhere.
function mountNamespaces(folder: string): string[] {
  const all = pids().map((pid) => read(`/proc/${pid}/mountinfo`));
  return [...new Set(all.filter((text) => text.includes(folder)))];
}

// Other programs may make and stop jails meanwhile.
function mayBeOurs(name: string, jid: number): boolean {
  return !/^dfj\d+$/.test(name) || name === `dfj${jid}`;
}

function descendants(ancestor: number): number[] {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === ancestor || (parent > 1 && isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

// The name comes before it, in brackets, and may be anything.
function parentOf(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function pids(): number[] {
  return names('/proc').map(Number).filter(Number.isInteger);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile, or none of our business
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
