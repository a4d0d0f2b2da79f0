import { JailError, type JailErrorOptions } from '../errors.js';

/** What a {@link ProgramError} is about. */
export interface ProgramErrorDetails extends JailErrorOptions {
  /** The program, library or script. */
  readonly file: string;
  /** The library or interpreter that was not found. */
  readonly missing?: string | undefined;
  /** Where it was looked for, in this order. */
  readonly searched?: readonly string[] | undefined;
}

/** Codes of a {@link ProgramError}. */
export type ProgramErrorCode =
  | 'ERR_JAIL_BAD_PROGRAM'
  | 'ERR_JAIL_MISSING_INTERPRETER'
  | 'ERR_JAIL_MISSING_LIBRARY';

/**
 * A program that cannot be taken into a root.
 *
 * - `ERR_JAIL_BAD_PROGRAM`: `file` is neither an ELF program nor a script, or one that is broken.
 * - `ERR_JAIL_MISSING_LIBRARY`: `file` needs the library `missing`, and none of `searched` has it.
 * - `ERR_JAIL_MISSING_INTERPRETER`: `file` is run by `missing`, a loader or what its `#!` names, which is not there.
 *
 * @example
 * try {
 *   await buildServiceRoot('/var/jails/www', { programs: ['/usr/sbin/nginx'] });
 * } catch (error) {
 *   if (error instanceof ProgramError) console.error(error.file, 'needs', error.missing, error.searched);
 *   else throw error;
 * }
 */
export class ProgramError extends JailError {
  /** The program, library or script that it is about. */
  readonly file: string;
  /** The library or interpreter that `file` needs. */
  declare readonly missing?: string;
  /** The directories in which that was looked for. */
  declare readonly searched?: readonly string[];

  /**
   * @param code what kind of error it is
   * @param message one sentence for people
   * @param details what it is about
   */
  constructor(code: ProgramErrorCode, message: string, details: ProgramErrorDetails) {
    super(code, message, details);
    this.file = details.file;
    if (details.missing !== undefined) this.missing = details.missing;
    if (details.searched !== undefined) this.searched = details.searched;
  }
}

Object.defineProperty(ProgramError.prototype, 'name', {
  value: 'ProgramError',
  configurable: true,
  writable: true,
});

/**
 * The error of a file that is no program, or a broken one.
 *
 * @param file the file
 * @param why what is wrong with it, as the end of a sentence
 */
export function badProgram(file: string, why: string): ProgramError {
  return new ProgramError('ERR_JAIL_BAD_PROGRAM', `${file} ${why}`, { file });
}
