import type { ModelProcess } from './model-process.js';
import type { Program } from './program.js';

/**
 * The programs that there are.
 *
 * @example
 * kernel.programs
 *   .add('/bin/true', () => 0)
 *   .add('/usr/sbin/httpd', ({ forever }) => forever());
 */
export class ProgramTable {
  readonly #programs = new Map<string, Program>();

  /**
   * Adds a program, or replaces it.
   *
   * @param path    as jails see it, the same in all of them
   * @param program what it does
   */
  add(path: string, program: Program): this {
    this.#programs.set(path, program);
    return this;
  }

  /**
   * What is run by this path.
   *
   * @param path as jails see it
   * @returns undefined: there is none
   */
  get(path: string): Program | undefined {
    return this.#programs.get(path);
  }

  /**
   * Where a name is found along PATH; the name itself when it has a slash.
   *
   * @param file a name, or a path
   * @param path directories, divided by colons
   * @returns the path of a program; undefined: there is none
   */
  find(file: string, path: string): string | undefined {
    const candidates = file.includes('/') ? [file] : path.split(':').map((at) => `${at}/${file}`);
    return candidates.find((candidate) => this.#programs.has(candidate));
  }
}

/** A program that was found. */
export interface FoundProgram {
  readonly path: string;
  readonly program: Program;
  /** Of a script: its interpreter with its arguments, and the script. Else the name as it was given. */
  readonly argv0: readonly string[];
}

/**
 * What execve(2) would run: a function of the table, or the one that the first line of a script in the jail names.
 *
 * @throws KernelError ENOENT, EACCES, ENOEXEC
 */
export function findProgram(
  programs: ProgramTable,
  process: ModelProcess,
  file: string,
  searchPath: string,
): FoundProgram {
  const path = programs.find(file, searchPath);
  const program = path === undefined ? undefined : programs.get(path);
  if (path !== undefined && program !== undefined) return { path, program, argv0: [file] };
  if (!file.includes('/')) throw process.error('ENOENT');
  const [interpreter = '', ...args] = process.interpreterOf(file);
  const found = programs.get(interpreter);
  if (found === undefined) throw process.error('ENOENT');
  return { path: interpreter, program: found, argv0: [interpreter, ...args, file] };
}
