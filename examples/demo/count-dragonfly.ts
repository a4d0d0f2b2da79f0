// What a jail adds to a DragonFly host, which has no files that tell: by the process table, by what stands where something
// may be mounted, and by the host's addresses.
import { readdirSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import { listProcesses } from 'dragonfly-jail';
import { isOfTheDemo } from './addresses.js';
import { registryEntries } from './count-linux.js';
import type { Counts, Watched } from './counts.js';

export function countOnDragonfly({ folder, registry }: Watched): Counts {
  return {
    processes: descendants(process.pid).length,
    mounts: mountedBelow(join(folder, 'root')),
    addresses: Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ address }) => isOfTheDemo(address)).length,
    'registry entries': registryEntries(registry, basename(folder)),
  };
}

function descendants(ancestor: number): number[] {
  const parents = new Map(listProcesses().map(({ pid, ppid }) => [pid, ppid]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === ancestor || (parent > 1 && isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

/** What the directories of the root were when they were first looked at. */
const originals = new Map<string, string>();

// Where something is mounted, another directory stands in the place of the root's own.
function mountedBelow(root: string): number {
  const places = directories(root).flatMap((path) => [path, ...directories(path)]);
  return places.filter((path) => isMounted(path)).length;
}

function isMounted(path: string): boolean {
  const { dev, ino } = statSync(path);
  const now = `${dev}:${ino}`;
  const original = originals.get(path);
  if (original === undefined) originals.set(path, now);
  return original !== undefined && original !== now;
}

function directories(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  } catch {
    return []; // not there yet
  }
}
