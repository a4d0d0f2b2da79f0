import { constants } from 'node:os';
import { JailError, JailSystemError } from '../errors.js';

/**
 * An error of `node:fs` as one of this package's.
 *
 * @param error what was thrown; an error of ours passes unchanged
 * @param step what was being done: `read`, `id-file`, `console-log`
 * @param path what it was about
 */
export function rcSystemError(error: unknown, step: string, path: string): Error {
  if (error instanceof JailError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const { code, errno, syscall = 'open' } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return error;
  const number = errno ?? constants.errno[code as keyof typeof constants.errno] ?? 0;
  return new JailSystemError({ errno: number, code, syscall, step, path, cause: error });
}
