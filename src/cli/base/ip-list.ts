import { canonicalAddress } from '../../addresses.js';
import { ToolFailure } from './failure.js';

/**
 * Reads the list of addresses of jail(8): separated by commas, empty ones do not count, and an empty list is a jail
 * without addresses.
 *
 * @param text what stands on the command line
 * @returns in the same order
 * @throws ToolFailure what jail says of it, on stdout as there
 * @see inet_pton(3)
 */
export function readIpList(text: string): string[] {
  const words = text.split(',').filter((word) => word !== '');
  for (const word of words) {
    if (canonicalAddress(word) !== null) continue;
    throw new ToolFailure(`Invalid value ${word}`, { stream: 'stdout' });
  }
  return words;
}
