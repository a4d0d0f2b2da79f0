import { JailError, JailSystemError } from '../../errors.js';
import type { Io } from '../io.js';
import { escapeText } from '../output/escape.js';
import { errorText } from './error-text.js';

/** The exit status of every failure of a base tool. */
export const FAILED = 1;

/** A base tool cannot go on: what it prints then, and where. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
  readonly stream: 'stdout' | 'stderr';
  /** What the base tool has no words for. */
  readonly remarks: readonly string[];

  /**
   * @param text the whole line
   * @param options `stream`: where to, stderr unless told; `remarks`: further lines, of this package's own
   */
  constructor(
    text: string,
    options: { stream?: 'stdout' | 'stderr'; remarks?: readonly string[]; cause?: unknown } = {},
  ) {
    super(text, { cause: options.cause });
    this.stream = options.stream ?? 'stderr';
    this.remarks = options.remarks ?? [];
  }
}

/**
 * As err(3): the error's text behind the message.
 *
 * @param tool the program's name
 * @param message what was being done
 * @param error an error of the system; its code counts
 */
export function systemFailure(tool: string, message: string, error: unknown): ToolFailure {
  return new ToolFailure(`${tool}: ${message}: ${errorText(codeOf(error))}`, { cause: error });
}

/**
 * A failure of the package that the base tool has no case for: in the package's own words.
 *
 * @param tool the program's name
 * @param error what was thrown
 */
export function ownFailure(tool: string, error: unknown): ToolFailure {
  if (!(error instanceof JailError)) throw error;
  const remarks = error.hint === undefined ? [] : [`  hint: ${error.hint}`];
  return new ToolFailure(`${tool}: ${error.message}`, { remarks, cause: error });
}

/** The name of an error: `ENOENT`. */
export function codeOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : null;
  return typeof code === 'string' ? code : 'EINVAL';
}

/** Did this step of the package fail, by the kernel's word? */
export function failedAt(error: unknown, ...steps: readonly string[]): error is JailSystemError {
  return error instanceof JailSystemError && steps.includes(error.step ?? '');
}

/**
 * Prints what a base tool says when it gives up.
 *
 * @param io where to
 * @param error what was thrown; anything but a {@link ToolFailure} is thrown again
 * @returns the exit status
 */
export function tellFailure(io: Io, error: unknown): number {
  if (!(error instanceof ToolFailure)) throw error;
  const stream = io[error.stream];
  for (const line of [error.message, ...error.remarks]) {
    stream.write(`${stream.isTTY === true ? escapeLine(line) : line}\n`);
  }
  return FAILED;
}

// Usage texts may have several lines.
function escapeLine(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}
