import { basename, dirname } from 'node:path';
import { TooMuch } from '../budget.js';
import { BrokenFile } from '../elf/bytes.js';
import { type ElfFile, parseElf } from '../elf/parse.js';
import { badProgram, ProgramError } from '../program-error.js';
import type { Place, Tree } from '../tree.js';
import {
  isInLoader,
  type LoaderKind,
  loaderKind,
  type SystemLibraries,
  systemLibraries,
} from './loader.js';

/** A path of the system, and what it becomes in the root that is built. Mostly the same. */
export interface Paths {
  readonly source: string;
  readonly target: string;
}

/** A program, or a library that one needs. */
export interface LoadedFile extends Paths {
  readonly elf: ElfFile;
  /** Its path without links. */
  readonly real: string;
  /** What $ORIGIN is for it. */
  readonly origin: Paths;
  /** What needs it; null for what was asked for. */
  readonly neededBy: LoadedFile | null;
}

/** A library that was not found. */
export interface MissingLibrary {
  /** As the program asks for it: `libssl.so.3`. */
  readonly library: string;
  /** The program or library that needs it, and what needs that, up to what was asked for. */
  readonly neededBy: readonly string[];
  /** The directories that were looked in, in their order. */
  readonly searched: readonly string[];
}

/** What a program needs. */
export interface Loaded {
  readonly kind: LoaderKind;
  /** The program first, then its libraries in the order in which they are loaded. */
  readonly files: readonly LoadedFile[];
  readonly missing: readonly MissingLibrary[];
}

/**
 * Finds what programs need, as the loader would.
 *
 * What was read is remembered: the libraries of several programs are mostly the same.
 */
export class Loader {
  readonly #elf = new Map<string, ElfFile>();
  readonly #folders = new Map<string, boolean>();
  readonly #systems = new Map<string, SystemLibraries>();

  /**
   * @param tree the system whose programs they are
   * @param libraryPath what LD_LIBRARY_PATH will be
   */
  constructor(
    readonly tree: Tree,
    private readonly libraryPath: readonly string[] = [],
  ) {}

  /**
   * A program or library with everything that it needs.
   *
   * @param paths where it is
   * @throws ProgramError `ERR_JAIL_BAD_PROGRAM`: it, or a library, is broken;
   *   `ERR_JAIL_MISSING_INTERPRETER`: its loader is not there
   */
  load(paths: Paths): Loaded {
    const main = this.#main(paths);
    this.#assertLoader(main);
    const kind = loaderKind(main.elf, this.tree);
    const files = [main];
    const missing: MissingLibrary[] = [];
    const known = new Set(namesOfLoader(main.elf));
    // The list grows while it is gone through: the libraries of libraries come after those of the program.
    for (const file of files) {
      for (const name of file.elf.needed) {
        if (known.has(name) || isInLoader(name, kind)) continue;
        known.add(name);
        const found = this.#find(name, file, main, kind);
        if (!isFile(found)) {
          missing.push({ library: name, neededBy: chainOf(file), searched: found });
        } else if (!files.some(({ real }) => real === found.real)) {
          files.push(found);
          if (found.elf.soname !== null) known.add(found.elf.soname);
        }
      }
    }
    return { kind, files, missing };
  }

  // The kernel tells a program's own path without links, and that is its $ORIGIN.
  #main(paths: Paths): LoadedFile {
    const elf = this.read(paths.source);
    const real = this.tree.find(paths.source)?.path ?? paths.source;
    const target = paths.source === paths.target ? real : paths.target;
    const origin = { source: dirname(real), target: dirname(target) };
    return { ...paths, elf, real, origin, neededBy: null };
  }

  /** @throws ProgramError `ERR_JAIL_BAD_PROGRAM`; JailSystemError step `root` */
  read(path: string): ElfFile {
    const place = this.tree.findFile(path);
    const known = place === null ? undefined : this.#elf.get(place.path);
    if (known !== undefined) return known;
    try {
      const elf = this.tree.read(path, parseElf);
      if (place !== null) this.#elf.set(place.path, elf);
      return elf;
    } catch (error) {
      if (error instanceof BrokenFile) throw badProgram(path, error.message);
      throw error;
    }
  }

  /** Finds a library as one that is opened by name at run time; null where there is none. */
  findByName(name: string, loaded: Loaded): LoadedFile | null {
    const [main] = loaded.files;
    if (main === undefined) return null;
    const found = this.#find(name, main, main, loaded.kind);
    return isFile(found) ? found : null;
  }

  /** What the system's own files say, for a kind of loader. */
  system(kind: LoaderKind, interpreter: string | null): SystemLibraries {
    const key = `${kind} ${interpreter}`;
    const system = this.#systems.get(key) ?? systemLibraries(this.tree, kind, interpreter);
    this.#systems.set(key, system);
    return system;
  }

  #assertLoader({ source, elf: { interpreter } }: LoadedFile): void {
    if (interpreter === null || this.tree.findFile(interpreter) !== null) return;
    throw new ProgramError(
      'ERR_JAIL_MISSING_INTERPRETER',
      `${source} is loaded by ${interpreter}, which is not there`,
      { file: source, missing: interpreter, hint: 'the program is one for another C library' },
    );
  }

  /** The library, or the directories in which it was looked for in vain. */
  #find(
    name: string,
    by: LoadedFile,
    main: LoadedFile,
    kind: LoaderKind,
  ): LoadedFile | readonly string[] {
    if (name.includes('/')) return this.#findByPath(name, by, kind);
    const searched = new Set<string>();
    for (const paths of this.#candidates(name, by, main, kind)) {
      this.tree.budget?.spend();
      const folder = dirname(paths.source);
      const file = this.#isFolder(folder) ? this.#fitting(paths, by, kind) : null;
      if (file !== null) return file;
      searched.add(folder);
    }
    return [...searched];
  }

  // Asked again for each library.
  #isFolder(path: string): boolean {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const isThere = this.#findQuietly(path)?.kind === 'directory';
    this.#folders.set(path, isThere);
    return isThere;
  }

  #findByPath(name: string, by: LoadedFile, kind: LoaderKind): LoadedFile | readonly string[] {
    for (const paths of expand(name, by)) {
      const file = this.#fitting(paths, by, kind);
      if (file !== null) return file;
    }
    return [dirname(name)];
  }

  /** Where the library could be, in the order in which the loader looks there. */
  *#candidates(name: string, by: LoadedFile, main: LoadedFile, kind: LoaderKind): Generator<Paths> {
    const system = this.system(kind, main.elf.interpreter);
    const before = new Set<string>();
    for (const folder of searchPath(by, main, kind, this.libraryPath)) {
      this.tree.budget?.spend();
      const text = `${folder.source}\0${folder.target}`;
      if (before.has(text)) continue;
      before.add(text);
      yield below(folder, name);
    }
    const withoutDefaults = by.elf.noDefaultLibraries;
    if (!withoutDefaults) {
      for (const { path } of system.cached.get(name) ?? []) yield same(path);
    }
    const directories = withoutDefaults ? system.hinted : system.directories;
    for (const folder of directories) yield same(`${folder}/${name}`);
  }

  /** The file, if it is there and made for the machine that needs it. */
  #fitting(paths: Paths, by: LoadedFile, kind: LoaderKind): LoadedFile | null {
    const place = this.#findQuietly(paths.source);
    if (place?.kind !== 'file') return null;
    const elf = this.read(paths.source);
    const fits =
      elf.bits === by.elf.bits &&
      elf.machine === by.elf.machine &&
      elf.littleEndian === by.elf.littleEndian;
    if (!fits) return null;
    const real = place.path;
    // rtld(1) resolves links first, the others do not.
    const source = dirname(kind === 'bsd' ? real : paths.source);
    const origin = {
      source,
      target: paths.source === paths.target ? source : dirname(paths.target),
    };
    return { ...paths, elf, real, origin, neededBy: by };
  }

  // A directory that may not be searched is one where the loader finds nothing either.
  #findQuietly(path: string): Place | null {
    try {
      return this.tree.find(path);
    } catch (error) {
      if (error instanceof TooMuch) throw error;
      return null;
    }
  }
}

function isFile(found: LoadedFile | readonly string[]): found is LoadedFile {
  return !Array.isArray(found);
}

/** A file and what needs it, up to what was asked for. */
export function chainOf(file: LoadedFile): string[] {
  const chain: string[] = [];
  for (let one: LoadedFile | null = file; one !== null; one = one.neededBy) chain.push(one.source);
  return chain;
}

function namesOfLoader({ interpreter }: ElfFile): string[] {
  return interpreter === null ? [] : [basename(interpreter)];
}

/** The directories that the files themselves name, and LD_LIBRARY_PATH. */
function* searchPath(
  by: LoadedFile,
  main: LoadedFile,
  kind: LoaderKind,
  libraryPath: readonly string[],
): Generator<Paths> {
  const environment = libraryPath.map(same);
  if (kind === 'musl') {
    // Both kinds of path are the same to it, and those of what needs the file count for it too.
    yield* environment;
    for (const file of ancestors(by)) yield* [...rpath(file), ...runpath(file)];
    return;
  }
  const before = kind === 'bsd' ? [by, main] : [...ancestors(by), main];
  const asked = by.elf.runpath === null ? before.filter((file) => file.elf.runpath === null) : [];
  for (const file of asked) yield* rpath(file);
  yield* environment;
  yield* runpath(by);
}

function ancestors(file: LoadedFile): LoadedFile[] {
  const all: LoadedFile[] = [];
  for (let one: LoadedFile | null = file; one !== null; one = one.neededBy) all.push(one);
  return all;
}

function rpath(file: LoadedFile): Paths[] {
  return folders(file.elf.rpath, file);
}

function runpath(file: LoadedFile): Paths[] {
  return folders(file.elf.runpath, file);
}

function folders(text: string | null, file: LoadedFile): Paths[] {
  const parts = (text ?? '').split(':').filter((part) => part !== '');
  return parts.flatMap((part) => expand(part, file));
}

const LIB = ['lib64', 'lib', 'lib32'];
const PLATFORMS: Readonly<Record<number, readonly string[]>> = {
  3: ['i686', 'i386'],
  62: ['x86_64', 'haswell', 'xeon_phi'],
  183: ['aarch64'],
};
const MULTIARCH: Readonly<Record<number, string>> = {
  3: 'lib/i386-linux-gnu',
  62: 'lib/x86_64-linux-gnu',
  183: 'lib/aarch64-linux-gnu',
};

/** What a path with $ORIGIN, $LIB and $PLATFORM may stand for; none for what the working directory decides. */
function expand(text: string, file: LoadedFile): Paths[] {
  const lib = [MULTIARCH[file.elf.machine], ...LIB].filter((one) => one !== undefined);
  const platforms = PLATFORMS[file.elf.machine] ?? [];
  const texts = replaceToken([text], 'LIB', lib);
  return replaceToken(texts, 'PLATFORM', platforms)
    .map((one) => ({
      source: replaceOrigin(one, file.origin.source),
      target: replaceOrigin(one, file.origin.target),
    }))
    .filter(({ source }) => source.startsWith('/'));
}

function replaceOrigin(text: string, folder: string): string {
  // By a function: `$` means something in a text that is put in.
  return text.replace(/\$(?:ORIGIN(?!\w)|\{ORIGIN\})/g, () => folder);
}

function replaceToken(texts: readonly string[], name: string, values: readonly string[]): string[] {
  const token = new RegExp(`\\$(?:${name}(?!\\w)|\\{${name}\\})`, 'g');
  return texts.flatMap((text) =>
    text.search(token) < 0 ? [text] : values.map((value) => text.replace(token, () => value)),
  );
}

function same(path: string): Paths {
  return { source: path, target: path };
}

function below({ source, target }: Paths, name: string): Paths {
  // Not by join(): what `..` after a link leads to is for the file system to say.
  return { source: `${source}/${name}`, target: `${target}/${name}` };
}
