import { type Part, PartList } from './parts.js';
import { addDollar, NOTHING_IS_RUN } from './read-dollar.js';
import type { Scanner } from './scanner.js';

/** What ends a word: see {@link isWordEnd}. */
const WORD_END = ' \t\n;&|<>()';

/** Does a word end before this character? */
export function isWordEnd(character: string): boolean {
  return character === '' || WORD_END.includes(character);
}

/**
 * Reads a word as sh(1) does: quotes, backslashes, variables.
 *
 * @param scanner at its first character
 * @param check refuses a character outside of quotes, by throwing; `last` is the one before it, empty at the
 *   beginning and null after something quoted
 * @returns its parts, before variables are filled in
 * @throws RcError
 */
export function readWord(
  scanner: Scanner,
  check: (character: string, last: string | null) => void,
): readonly Part[] {
  const parts = new PartList();
  let last: string | null = '';
  for (let at = scanner.peek(); !isWordEnd(at); at = scanner.peek()) {
    check(at, last);
    last = readPiece(scanner, parts, at) ? null : at;
  }
  return parts.done();
}

// true: it was something quoted.
function readPiece(scanner: Scanner, parts: PartList, first: string): boolean {
  if (first === "'") readSingleQuotes(scanner, parts);
  else if (first === '"') readDoubleQuotes(scanner, parts);
  else if (first === '\\') readBackslash(scanner, parts);
  else if (first === '`') throw backquotes(scanner);
  else if (first === '$') addDollar(parts, scanner, false);
  else {
    parts.text(scanner.next());
    return false;
  }
  return true;
}

function readSingleQuotes(scanner: Scanner, parts: PartList): void {
  const { line } = scanner;
  scanner.next();
  for (let at = scanner.rawNext(); at !== "'"; at = scanner.rawNext()) {
    if (at === '') throw unclosed(scanner, "'", line);
    parts.text(at);
  }
}

function readDoubleQuotes(scanner: Scanner, parts: PartList): void {
  const { line } = scanner;
  scanner.next();
  for (let at = scanner.peek(); at !== '"'; at = scanner.peek()) {
    if (at === '') throw unclosed(scanner, '"', line);
    if (at === '`') throw backquotes(scanner);
    if (at === '$') addDollar(parts, scanner, true);
    else if (at === '\\') readQuotedBackslash(scanner, parts);
    else parts.text(scanner.next());
  }
  scanner.next();
}

// Between double quotes it is a character as others are, but before these.
function readQuotedBackslash(scanner: Scanner, parts: PartList): void {
  scanner.next();
  const escaped = '$`"\\'.includes(scanner.rawPeek()) ? scanner.rawNext() : '\\';
  parts.text(escaped === '' ? '\\' : escaped);
}

function readBackslash(scanner: Scanner, parts: PartList): void {
  scanner.next();
  const escaped = scanner.rawNext();
  if (escaped === '') throw scanner.error('The file ends with a backslash');
  parts.text(escaped);
}

function unclosed(scanner: Scanner, quote: string, line: number) {
  return scanner.error(`This ${quote} is never closed`, `close it with another ${quote}`, line);
}

function backquotes(scanner: Scanner) {
  return scanner.error('`…` is a command, which would have to be executed', NOTHING_IS_RUN);
}
