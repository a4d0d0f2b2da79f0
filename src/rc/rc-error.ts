import { JailError } from '../errors.js';

/** What an {@link RcError} is about. */
export interface RcErrorDetails {
  /** The file; null: it is about no file. */
  readonly file: string | null;
  /** The line, from 1; null: it is about no line in particular. */
  readonly line: number | null;
  /** One sentence on what to do about it. */
  readonly hint?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * Something in rc.conf(5) or fstab(5), or the state of one of their jails, that cannot be: code `ERR_JAIL_RC`.
 *
 * @example
 * try {
 *   loadRcConf('/etc/rc.conf');
 * } catch (error) {
 *   if (error instanceof RcError) console.error(error.file, error.line, error.message, error.hint);
 * }
 */
export class RcError extends JailError {
  /** The file that it is about. */
  declare readonly file?: string;
  /** The line in it, from 1. */
  declare readonly line?: number;

  /**
   * @param message one sentence; the place is put before it
   * @param details where, and what to do about it
   */
  constructor(message: string, { file, line, hint, cause }: RcErrorDetails) {
    super('ERR_JAIL_RC', `${placeText(file, line)}${message}`, { hint, cause });
    if (file !== null) this.file = file;
    if (line !== null) this.line = line;
  }
}

Object.defineProperty(RcError.prototype, 'name', {
  value: 'RcError',
  configurable: true,
  writable: true,
});

function placeText(file: string | null, line: number | null): string {
  if (file === null) return '';
  return line === null ? `${file}: ` : `${file}:${line}: `;
}
