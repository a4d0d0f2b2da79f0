import { isWordEnd, readWord } from './shell/read-word.js';
import { Scanner } from './shell/scanner.js';
import type { Place } from './shell/variables.js';

const HINT = "a shell of the jail can do it: /bin/sh -c '…'";

/**
 * Splits a command line as rc.d/jail has the host's shell do it, without what that shell would have to execute: there
 * is none here, and what comes of it would run on the host, as root.
 *
 * @param text   such as `/bin/sh -c 'exec daemon'`
 * @param name   the variable, for errors
 * @param place  where it was assigned
 * @returns the program and its arguments; empty for blanks only
 * @throws RcError
 * @example splitWords("/bin/echo 'a b' c", 'jail_www_exec_start', place) // ['/bin/echo', 'a b', 'c']
 */
export function splitWords(text: string, name: string, { file, line }: Place): readonly string[] {
  const scanner = new Scanner(text, file, { name, line });
  const words: string[] = [];
  for (;;) {
    scanner.takeWhile((character) => ' \t\n'.includes(character));
    const next = scanner.peek();
    if (next === '') return words;
    if (isWordEnd(next)) throw scanner.error(`${next} would have to be executed on the host`, HINT);
    words.push(readOne(scanner));
  }
}

function readOne(scanner: Scanner): string {
  const parts = readWord(scanner, (character, last) => {
    const special = '*?['.includes(character) || (last === '' && '~#'.includes(character));
    if (special) throw scanner.error(`${character} is to be put between quotes here`, HINT);
  });
  const texts = parts.map((part) => {
    if (part.kind === 'text') return part.text;
    throw scanner.error(`$${part.name} would be filled in by a shell of the host`, HINT);
  });
  return texts.join('');
}
