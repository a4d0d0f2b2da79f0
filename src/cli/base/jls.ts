import { selectBackend } from '../../backends/select.js';
import type { Io } from '../io.js';
import { systemFailure, tellFailure } from './failure.js';
import { formatListing } from './listing.js';

/**
 * jls(8): the jails of the host as a table. It takes no arguments and does not mind any.
 *
 * @param _argv what follows the program's name
 * @param io where to print
 * @returns the exit status
 * @see usr.sbin/jls/jls.c
 */
export async function jlsTool(_argv: readonly string[], io: Io): Promise<number> {
  try {
    const list = readList();
    if (list.length > 0) io.stdout.write(formatListing(list, io.stdout.isTTY === true));
    return 0;
  } catch (error) {
    return tellFailure(io, error);
  }
}

function readList(): Uint8Array {
  try {
    return selectBackend().jailList();
  } catch (error) {
    throw systemFailure('jls', 'sysctlbyname(): jail.list', error);
  }
}
