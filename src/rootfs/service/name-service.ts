import { formatGlibcCache } from '../libraries/glibc-cache.js';
import type { Loaded } from '../libraries/load.js';
import { BSD_HINTS, GLIBC_CACHE, type LoaderKind, muslPathFile } from '../libraries/loader.js';
import type { Collector } from './collect.js';
import type { RootPlan } from './plan.js';

// What glibc opens by name when a program asks for users and hosts (most of it is in libc itself since 2.34), or ends
// a thread.
const OPENED_BY_GLIBC = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2', 'libgcc_s.so.1'];
const BSD_FILES = [BSD_HINTS, '/etc/libmap.conf'];

/** Adds the libraries that no program names, since its C library opens them by itself. */
export function addOpenedLibraries(collector: Collector): void {
  for (const loaded of oneOfEachMachine(collector.loaded)) {
    if (loaded.kind !== 'glibc') continue;
    for (const name of OPENED_BY_GLIBC) collector.library(name, loaded);
  }
}

/** Adds the files in which the loaders look up directories. For when all libraries are there. */
export function addLoaderFiles(collector: Collector, plan: RootPlan): void {
  for (const loaded of oneOfEachMachine(collector.loaded)) {
    const elf = loaded.files[0]?.elf;
    if (loaded.kind === 'musl') collector.mirror(muslPathFile(elf?.interpreter ?? ''));
    else if (loaded.kind === 'bsd') for (const path of BSD_FILES) collector.mirror(path);
    else addCache(collector, plan, elf?.littleEndian ?? true);
  }
}

/** Are there programs of this kind among what was loaded? */
export function hasKind(all: readonly Loaded[], kind: LoaderKind): boolean {
  return all.some((loaded) => loaded.kind === kind);
}

/** The system's cache without what is not in the root. */
function addCache(collector: Collector, plan: RootPlan, littleEndian: boolean): void {
  const { cached } = collector.loader.system('glibc', null);
  const libraries = [...cached.values()].flat().filter(({ path }) => plan.holdsFile(path));
  if (libraries.length === 0) return;
  plan.file(GLIBC_CACHE, 'options.programs', {
    from: { content: formatGlibcCache(libraries, littleEndian) },
    mode: 0o644,
    owner: null,
    neededBy: null,
  });
}

function oneOfEachMachine(all: readonly Loaded[]): Loaded[] {
  const found = new Map<string, Loaded>();
  for (const loaded of all) {
    const elf = loaded.files[0]?.elf;
    // Without a loader nothing is loaded.
    if (elf === undefined || elf.interpreter === null) continue;
    const key = `${loaded.kind} ${elf.bits} ${elf.machine}`;
    if (!found.has(key)) found.set(key, loaded);
  }
  return [...found.values()];
}
