import { constants } from 'node:os';

/** What is looked at of an error of open(2). */
interface OpenFailure {
  readonly code?: string | undefined;
  readonly syscall?: string | undefined;
}

/** The error that this package tells of a symbolic link where `O_NOFOLLOW` met one, on every system. */
export const LINK_ERROR = { code: 'ELOOP', errno: -constants.errno.ELOOP } as const;

/** Did `O_NOFOLLOW` meet a symbolic link? The BSDs say EMLINK, Linux and POSIX ELOOP. */
export function isLinkRefused({ code, syscall = '' }: OpenFailure): boolean {
  return code === 'EMLINK' && /^open(at)?$/.test(syscall);
}

/**
 * An error of `node:fs`, which is the same on every system where it is about a link.
 *
 * @param error what was thrown; any other passes unchanged
 */
export function sameLinkError<T>(error: T): T | NodeJS.ErrnoException {
  if (!(error instanceof Error) || !isLinkRefused(error as NodeJS.ErrnoException)) return error;
  const { path, syscall = 'open' } = error as NodeJS.ErrnoException;
  const message = `ELOOP: too many symbolic links encountered, ${syscall} '${path}'`;
  return Object.assign(new Error(message, { cause: error }), { ...LINK_ERROR, syscall, path });
}
