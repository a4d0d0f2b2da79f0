import { basename, dirname } from 'node:path';
import { BrokenFile } from '../elf/bytes.js';
import type { ElfFile } from '../elf/parse.js';
import { badProgram } from '../program-error.js';
import type { Tree } from '../tree.js';
import { parseBsdHints } from './bsd-hints.js';
import { type CachedLibrary, parseGlibcCache } from './glibc-cache.js';
import { ldSoConfDirectories } from './ld-so-conf.js';

/** The loaders whose ways are known: ld.so(8), ld-musl, rtld(1) of DragonFly and FreeBSD. */
export type LoaderKind = 'glibc' | 'musl' | 'bsd';

/** Where a system keeps its libraries, beside what programs say themselves. */
export interface SystemLibraries {
  readonly kind: LoaderKind;
  /** What ldconfig(8) found, by name. */
  readonly cached: ReadonlyMap<string, readonly CachedLibrary[]>;
  /** Directories that are searched then. */
  readonly directories: readonly string[];
  /** Those of them that even a program that wants no defaults has searched. */
  readonly hinted: readonly string[];
}

export const GLIBC_CACHE = '/etc/ld.so.cache';
export const BSD_HINTS = '/var/run/ld-elf.so.hints';
const MAX_CACHE = 4 << 20;
const NO_CACHE: ReadonlyMap<string, readonly CachedLibrary[]> = new Map();

// musl has these in its loader, whatever their number is.
const IN_MUSL = /^lib(c|pthread|rt|m|dl|util|xnet)\./;

/**
 * Whose ways a program or library is loaded by.
 *
 * @param elf the file
 * @param tree the system that it is from, for libraries that give no sign
 */
export function loaderKind(elf: ElfFile, tree: Tree): LoaderKind {
  if (elf.interpreter !== null) return kindOfLoader(elf.interpreter);
  if (elf.needed.includes('libc.so.6')) return 'glibc';
  if (elf.needed.some((name) => /^libc\.(musl-.*|so)$/.test(name))) return 'musl';
  if (elf.needed.some((name) => /^libc\.so\.\d+$/.test(name))) return 'bsd';
  return systemKind(tree);
}

function kindOfLoader(path: string): LoaderKind {
  if (basename(path).startsWith('ld-musl')) return 'musl';
  return basename(path).startsWith('ld-elf') ? 'bsd' : 'glibc';
}

/** The kind of most programs of a system. */
export function systemKind(tree: Tree): LoaderKind {
  if (tree.findFile('/usr/libexec/ld-elf.so.2') ?? tree.findFile('/libexec/ld-elf.so.1')) {
    return 'bsd';
  }
  if (tree.findFile(GLIBC_CACHE) !== null) return 'glibc';
  return tree.names('/lib').some((name) => name.startsWith('ld-musl-')) ? 'musl' : 'glibc';
}

/** The path of musl's file with the directories to search. */
export function muslPathFile(interpreter: string): string {
  return `/etc/${basename(interpreter).replace(/\.so\.1$/, '')}.path`;
}

/** Is that a name that the loader itself stands for? */
export function isInLoader(name: string, kind: LoaderKind): boolean {
  return kind === 'musl' && IN_MUSL.test(name);
}

/**
 * Looks up where a system has its libraries.
 *
 * @param tree the system
 * @param kind whose ways
 * @param interpreter the loader's path, for musl
 * @throws ProgramError `ERR_JAIL_BAD_PROGRAM`: the cache of ldconfig is broken
 */
export function systemLibraries(
  tree: Tree,
  kind: LoaderKind,
  interpreter: string | null,
): SystemLibraries {
  if (kind === 'glibc') return glibcLibraries(tree, interpreter);
  if (kind === 'bsd') return bsdLibraries(tree);
  const text = tree.text(muslPathFile(interpreter ?? muslLoader(tree)));
  const directories = (text ?? '/lib:/usr/local/lib:/usr/lib').split(/[:\n]/);
  const absolute = directories.filter((path) => path.startsWith('/'));
  return { kind, cached: NO_CACHE, directories: absolute, hinted: absolute };
}

function muslLoader(tree: Tree): string {
  const name = tree.names('/lib').find((one) => /^ld-musl-.*\.so\.1$/.test(one));
  return `/lib/${name ?? 'ld-musl.so.1'}`;
}

function bsdLibraries(tree: Tree): SystemLibraries {
  const hinted = readSystemFile(tree, BSD_HINTS, parseBsdHints) ?? [];
  const directories = unique([...hinted, '/lib', '/usr/lib']);
  return { kind: 'bsd', cached: NO_CACHE, directories, hinted };
}

function glibcLibraries(tree: Tree, interpreter: string | null): SystemLibraries {
  const all = readSystemFile(tree, GLIBC_CACHE, parseGlibcCache) ?? [];
  const cached = new Map<string, CachedLibrary[]>();
  for (const library of all.filter(({ special }) => !special)) {
    const same = cached.get(library.name) ?? [];
    same.push(library);
    cached.set(library.name, same);
  }
  const directories = unique([
    ...trustedDirectories(tree, interpreter),
    ...ldSoConfDirectories(tree),
  ]);
  return { kind: 'glibc', cached, directories, hinted: [] };
}

// Compiled into each glibc, and told nowhere: the loader's own directory, those of Debian's multiarch, and the
// common ones. A directory for another machine does no harm, since its libraries are not taken.
function trustedDirectories(tree: Tree, interpreter: string | null): string[] {
  const loader = interpreter === null ? null : tree.find(interpreter);
  const own = loader === null ? [] : [dirname(loader.path)];
  const multiarch = ['/lib', '/usr/lib'].flatMap((folder) =>
    tree
      .names(folder)
      .filter((name) => /-linux-gnu/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  return [...own, ...multiarch, '/lib64', '/usr/lib64', '/lib', '/usr/lib', '/lib32', '/usr/lib32'];
}

function readSystemFile<T>(tree: Tree, path: string, parse: (bytes: Uint8Array) => T): T | null {
  const place = tree.findFile(path);
  if (place === null || place.size > MAX_CACHE) return null;
  try {
    return tree.read(path, (source) => parse(source.read(0, source.size)));
  } catch (error) {
    if (error instanceof BrokenFile) throw badProgram(path, error.message);
    throw error;
  }
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}
