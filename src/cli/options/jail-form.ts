import { statSync } from 'node:fs';
import { canonicalAddress } from '../../addresses.js';
import { type JailArguments, splitAddresses } from './jail.js';

/** A command line in the form of jail(8), by its parts. */
export interface JailForm extends JailArguments {
  readonly rest: readonly string[];
}

const PARTS = 3;

/**
 * Recognizes `PATH HOSTNAME IP,IP [COMMAND…]`, as jail(8) takes it. There can be no doubt: a directory cannot be run.
 *
 * @param words what was given by position
 * @returns with no path, when it is another form: then all the words are the rest
 */
export function readJailForm(words: readonly string[]): JailForm {
  const [path, hostname, list] = words;
  if (path === undefined || !hostname || list === undefined) return { rest: words };
  const fits = path.startsWith('/') && isAddressList(list) && isDirectory(path);
  if (!fits) return { rest: words };
  return { path, hostname, addresses: splitAddresses(list), rest: words.slice(PARTS) };
}

// An empty list is a jail without addresses.
function isAddressList(text: string): boolean {
  return splitAddresses(text).every((address) => {
    const [bare = ''] = address.split('%');
    return canonicalAddress(bare) !== null;
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
