import { constants } from 'node:os';
import { JailError, JailSystemError } from '../errors.js';
import { isLinkRefused } from '../link-error.js';

/**
 * An error of `node:fs`, or one in its form, as an error of the step that prepares a root.
 *
 * @param error what was thrown; an error of ours passes unchanged
 * @param path what it was about, as the caller knows it
 */
export function rootError(error: unknown, path: string): Error {
  if (error instanceof JailError || !isSystemError(error)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  if (isLinkRefused(error)) return rootFailure('ELOOP', 'open', path);
  const errno = error.errno ?? constants.errno[error.code as keyof typeof constants.errno];
  return new JailSystemError({
    errno,
    code: error.code,
    syscall: error.syscall ?? 'open',
    step: 'root',
    path,
    cause: error,
  });
}

/** Makes the error of a check that no system call made. */
export function rootFailure(
  code: 'EEXIST' | 'EISDIR' | 'ELOOP' | 'ENOENT' | 'ENOTDIR' | 'ENOTEMPTY',
  syscall: string,
  path: string,
): Error {
  return new JailSystemError({ errno: constants.errno[code], syscall, step: 'root', path });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return (
    typeof error === 'object' && error !== null && typeof Reflect.get(error, 'code') === 'string'
  );
}
