/** An operation was aborted by its AbortSignal: `name` and `code` (`ABORT_ERR`) are those that all of Node uses. */
class AbortError extends Error {
  readonly code = 'ABORT_ERR';
  override readonly name = 'AbortError';
}

/**
 * The error of an operation that was aborted.
 *
 * @param signal what aborted it; its reason becomes the cause
 */
export function abortError(signal: AbortSignal): Error {
  return new AbortError('The operation was aborted', { cause: signal.reason });
}
