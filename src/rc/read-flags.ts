import type { RcUser } from './rc-jail.js';
import { badSetting, type Setting } from './settings.js';

/** What rc.d/jail gives to jail(8) when nothing is said. */
export const DEFAULT_FLAGS = '-l -U root';
const HINT = 'rc.d/jail knows -l, -u USER and -U USER';

/** What jail(8) is told by its flags. */
export interface Flags {
  readonly user: RcUser | null;
  readonly login: boolean;
}

/**
 * Reads `jail_<name>_flags`, the flags of jail(8): `-l`, `-U user`, `-u user`; `-i` has no meaning here.
 *
 * @param words its words
 * @param found where they come from; null: they are the default
 * @throws RcError
 */
export function readFlags(words: readonly string[], found: Setting | null): Flags {
  let user: RcUser | null = null;
  let login = false;
  const left = words.flatMap(splitFlag);
  for (let flag = left.shift(); flag !== undefined; flag = left.shift()) {
    if (flag === '-l') login = true;
    else if (flag === '-u' || flag === '-U') {
      const name = left.shift();
      if (name === undefined || name.startsWith('-')) throw bad(found, `${flag} needs a user`);
      if (user !== null) throw bad(found, 'there can be one user only');
      user = { name, of: flag === '-U' ? 'jail' : 'host' };
    } else if (flag !== '-i') throw bad(found, `jail(8) has no flag ${JSON.stringify(flag)} here`);
  }
  if (login && user === null) throw bad(found, '-l needs -u or -U');
  return { user, login };
}

// -lU root, -Uroot: as getopt(3) takes them.
function splitFlag(word: string): string[] {
  const found = /^-([li]*)(?:([uU])(.*))?$/.exec(word);
  if (found === null || word === '-') return [word];
  const [, letters = '', flag, user = ''] = found;
  const single = [...letters].map((letter) => `-${letter}`);
  if (flag !== undefined) single.push(`-${flag}`);
  return user === '' ? single : [...single, user];
}

function bad(found: Setting | null, message: string): Error {
  return found === null ? new Error(message) : badSetting(found, message, HINT);
}
