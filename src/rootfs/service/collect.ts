import { posix } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { invalidValue } from '../../errors.js';
import { DEFAULT_PATH } from '../../spawn-options.js';

import { Budget, TooMuch } from '../budget.js';
import { isElf } from '../elf/parse.js';
import { type Loaded, Loader, type MissingLibrary, type Paths } from '../libraries/load.js';
import { badProgram, ProgramError } from '../program-error.js';
import { rootFailure } from '../root-error.js';
import type { Place, Tree } from '../tree.js';
import type { CheckedFile } from './options.js';
import type { Owner, RootPlan } from './plan.js';
import { parseScriptLine, START_OF_PROGRAM } from './script.js';

// As many scripts may be run by scripts, says the kernel (Linux 5.12; DragonFly allows none).
const MAX_SCRIPTS = 5;
const MAX_DEPTH = 256;
const SET_ID = 0o6000;
// Of one program: some seconds.
const MAX_STEPS = 200_000;
const TOO_MUCH = 'needs more, or looks for it in more places, than is looked at';

/** How a file of options is to be in the root. */
export interface Ownership {
  readonly mode: number | null;
  readonly owner: Owner | null;
}

/** Collects what a root needs of a system: programs, what they need, and files. */
export class Collector {
  readonly #loader: Loader;
  readonly #loaded: Loaded[] = [];
  readonly #missing: MissingLibrary[] = [];
  readonly #done = new Set<string>();

  /**
   * @param tree the system
   * @param plan what is added to
   * @param libraryPath what LD_LIBRARY_PATH will be
   */
  constructor(
    private readonly tree: Tree,
    private readonly plan: RootPlan,
    libraryPath: readonly string[],
  ) {
    this.#loader = new Loader(tree, libraryPath);
  }

  /** Every program and library so far, by what was asked for. */
  get loaded(): readonly Loaded[] {
    return this.#loaded;
  }

  /** Libraries that only files of directories need. */
  get missing(): readonly MissingLibrary[] {
    return this.#missing;
  }

  get loader(): Loader {
    return this.#loader;
  }

  /**
   * Adds a program with everything that it needs.
   *
   * @param path where it is
   * @param name the argument that asks for it
   * @throws ProgramError; JailSystemError step `root`
   */
  program(path: string, name: string): void {
    this.#program(path, name, []);
  }

  /**
   * Adds a file, or a directory with all that is in it.
   *
   * @throws ProgramError, JailSystemError step `root`, JailError `ERR_INVALID_ARG_VALUE`
   */
  async file(file: CheckedFile, ownership: Ownership): Promise<void> {
    const { name, source, content, target } = file;
    if (content !== null || source === null) {
      const { owner, mode } = ownership;
      const from = { content: content ?? '' };
      this.plan.file(target, name, { from, mode: mode ?? 0o644, owner, neededBy: null });
      return;
    }
    const place = this.#place(source);
    if (place.kind === 'other') throw invalidValue(name, 'a file or a directory', source);
    if (place.kind === 'directory') {
      if (ownership.mode !== null) {
        throw invalidValue(`${name}.mode`, 'no mode for a whole directory', ownership.mode);
      }
      await this.#folder({ source, target }, place, name, ownership.owner, 0);
      return;
    }
    const paths = { source, target };
    this.#add(paths, place, name, ownership, null);
    if (this.#isElf(source)) this.#needs(paths, name, 'strict');
  }

  /** Adds a library that programs open by name, if the system has it. */
  library(name: string, loaded: Loaded): void {
    const found = this.#loader.findByName(name, loaded);
    if (found !== null) this.#needs(found, 'options.programs', 'strict');
  }

  /** Adds a file of the system to the root, at the same place. */
  mirror(path: string): void {
    const place = this.tree.findFile(path);
    if (place !== null) this.#mirror(path, 'options.programs', null);
  }

  #program(path: string, name: string, scripts: readonly string[]): void {
    const place = this.#programPlace(path, scripts);
    if ((place.mode & 0o111) === 0) throw badProgram(path, 'is not executable');
    this.#mirror(path, name, scripts.at(-1) ?? null);
    if (this.#isElf(path)) {
      this.#needs({ source: path, target: path }, name, 'strict');
      return;
    }
    const start = this.tree.read(path, (source) =>
      source.read(0, Math.min(source.size, START_OF_PROGRAM)),
    );
    const line = parseScriptLine(start);
    if (line === null) throw badProgram(path, 'is neither an ELF program nor a script with #!');
    const chain = [...scripts, path];
    if (chain.length > MAX_SCRIPTS) {
      throw badProgram(chain[0] ?? path, 'is run by a script of a script, and so on without end');
    }
    this.#program(line.interpreter, name, chain);
    if (line.command !== null) this.#program(this.#onPath(line.command, path), name, chain);
  }

  #programPlace(path: string, scripts: readonly string[]): Place {
    const script = scripts.at(-1);
    const place = this.tree.find(path);
    if (place?.kind === 'file') return place;
    if (script !== undefined) throw missingInterpreter(script, path);
    if (place !== null) throw badProgram(path, 'is no file');
    throw rootFailure('ENOENT', 'open', path);
  }

  #onPath(command: string, script: string): string {
    if (command.startsWith('/')) return command;
    const folders = DEFAULT_PATH.split(':');
    const paths = folders.map((folder) => `${folder}/${command}`);
    const found = paths.find((path) => this.tree.findFile(path) !== null);
    if (found === undefined) throw missingInterpreter(script, command, folders);
    return found;
  }

  /** Adds what an ELF file needs: its loader and its libraries. */
  #needs(paths: Paths, name: string, about: 'strict' | 'lenient'): void {
    const loaded = this.#load(paths, about);
    if (loaded === null) return;
    const [missing] = loaded.missing;
    if (missing !== undefined && about === 'strict') throw missingLibrary(missing);
    this.#missing.push(...loaded.missing);
    this.#loaded.push(loaded);
    for (const file of loaded.files) {
      const { interpreter } = file.elf;
      if (interpreter !== null) this.#mirror(interpreter, name, file.source);
      const by = file.neededBy?.source ?? null;
      if (file.source === file.target) this.#mirror(file.source, name, by);
      else this.#copy(file, name, by);
    }
  }

  #load(paths: Paths, about: 'strict' | 'lenient'): Loaded | null {
    this.tree.budget = new Budget(MAX_STEPS);
    try {
      return this.#loader.load(paths);
    } catch (error) {
      // What only looks like a program, or is one for another machine, is data.
      const told = error instanceof TooMuch ? badProgram(paths.source, TOO_MUCH) : error;
      if (about === 'lenient' && told instanceof ProgramError) return null;
      throw told;
    } finally {
      this.tree.budget = null;
    }
  }

  async #folder(
    { source, target }: Paths,
    place: Place,
    name: string,
    owner: Owner | null,
    depth: number,
  ): Promise<void> {
    if (depth > MAX_DEPTH) throw invalidValue(name, 'a directory of less depth', source);
    await turn();
    if (source === target)
      for (const link of place.links) this.plan.link(link.path, link.text, name);
    const to = source === target ? place.path : target;
    this.plan.folder(to, name, { mode: place.mode, ...(owner === null ? {} : { owner }) });
    for (const child of this.tree.names(place.path)) {
      const paths = { source: `${place.path}/${child}`, target: posix.join(to, child) };
      await this.#child(paths, name, owner, depth + 1);
    }
  }

  async #child(paths: Paths, name: string, owner: Owner | null, depth: number): Promise<void> {
    const place = this.tree.find(paths.source);
    const link = place?.links.find(({ path }) => path === paths.source);
    if (place === null || link !== undefined) {
      this.#linked(paths, place, name);
      return;
    }
    if (place.kind === 'directory') {
      await this.#folder(paths, place, name, owner, depth);
    } else if (place.kind === 'file') {
      this.#add(paths, place, name, { mode: null, owner }, null);
      if (this.#isElf(paths.source)) this.#needs(paths, name, 'lenient');
    }
  }

  /** A link in a directory stays one; the file that it leads to comes along where it would be found. */
  #linked(paths: Paths, place: Place | null, name: string): void {
    const text = this.tree.linkText(paths.source);
    if (text === null) return;
    this.plan.link(paths.target, text, name);
    if (place?.kind !== 'file' || paths.source !== paths.target) return;
    this.#mirror(paths.source, name, null);
    if (this.#isElf(paths.source)) this.#needs(paths, name, 'lenient');
  }

  #add(
    { source, target }: Paths,
    place: Place,
    name: string,
    { mode, owner }: Ownership,
    neededBy: string | null,
  ): void {
    if (source === target)
      for (const link of place.links) this.plan.link(link.path, link.text, name);
    this.plan.file(source === target ? place.path : target, name, {
      from: { source: place.path, linkable: mode === null && owner === null && !hasSetId(place) },
      mode: mode ?? place.mode & ~SET_ID,
      owner,
      neededBy,
    });
  }

  /** The same file at the same path, by the same links; one that is there already stays as it is. */
  #mirror(path: string, name: string, neededBy: string | null): void {
    if (this.#done.has(path)) return;
    this.#done.add(path);
    const place = this.#place(path);
    if (this.plan.get(place.path)?.kind === 'file') {
      for (const link of place.links) this.plan.link(link.path, link.text, name);
      return;
    }
    this.#add({ source: path, target: path }, place, name, { mode: null, owner: null }, neededBy);
  }

  #copy(paths: Paths, name: string, neededBy: string | null): void {
    if (this.plan.get(paths.target)?.kind === 'file') return;
    const place = this.#place(paths.source);
    this.#add(paths, place, name, { mode: null, owner: null }, neededBy);
  }

  #place(path: string): Place {
    const place = this.tree.find(path);
    if (place === null) throw rootFailure('ENOENT', 'open', path);
    return place;
  }

  #isElf(path: string): boolean {
    return this.tree.read(path, (source) => isElf(source.read(0, Math.min(4, source.size))));
  }
}

function hasSetId({ mode }: Place): boolean {
  return (mode & SET_ID) !== 0;
}

function missingInterpreter(
  script: string,
  interpreter: string,
  searched?: readonly string[],
): ProgramError {
  const where = searched === undefined ? '' : ` in ${searched.join(', ')}`;
  return new ProgramError(
    'ERR_JAIL_MISSING_INTERPRETER',
    `${script} is run by ${interpreter}, which is not there${where}`,
    { file: script, missing: interpreter, searched },
  );
}

function missingLibrary({ library, neededBy, searched }: MissingLibrary): ProgramError {
  const [file = '', ...others] = neededBy;
  const chain = others.map((one, index) => `${one} needs ${neededBy[index]}`).join(', ');
  const about = chain === '' ? '' : ` (${chain})`;
  return new ProgramError(
    'ERR_JAIL_MISSING_LIBRARY',
    `${file} needs the library ${library}, which is not there${about}`,
    {
      file,
      missing: library,
      searched,
      hint: 'install it, or name its directory in libraryPath if LD_LIBRARY_PATH will have it',
    },
  );
}
