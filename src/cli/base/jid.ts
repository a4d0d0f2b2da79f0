import { errorText } from './error-text.js';
import { ToolFailure } from './failure.js';

const INT_MIN = -(2n ** 31n);
const INT_MAX = 2n ** 31n - 1n;

/**
 * Reads a jail id as jexec(8) does, which is as strtol(3) does: white space before it, a sign, zeros; nothing behind it.
 *
 * @param text what stands on the command line
 * @returns any int, also one that no jail has
 * @throws ToolFailure what jexec says of it
 */
export function readJid(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([+-]?[0-9]+)/.exec(text);
  const value = digits === null ? 0n : BigInt((digits[1] ?? '').replace(/^\+/, ''));
  // The range first: jexec looks at it before it looks at what follows.
  if (value < INT_MIN || value > INT_MAX) {
    throw new ToolFailure(`jexec: invalid jail id: ${text}: ${errorText('ERANGE')}`);
  }
  if (digits === null || digits[0].length !== text.length) {
    throw new ToolFailure(`jexec: cannot parse jail id: ${text}.`);
  }
  return Number(value);
}
