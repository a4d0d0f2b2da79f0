import type { RcError } from '../rc-error.js';
import { type Part, PartList, type VariablePart } from './parts.js';
import type { Scanner } from './scanner.js';

const NAME_START = /[A-Za-z_]/;
const NAME = /[A-Za-z0-9_]/;
/** What stands for itself between `:-` and `}` in every shell. */
const PLAIN = /[A-Za-z0-9_ .,/:@%+=-]|[^\0-\x7f]/;

/** Why something of a shell is not done. */
export const NOTHING_IS_RUN = 'nothing is executed here: write the value itself';

/**
 * Reads what begins with a `$`.
 *
 * @param scanner before the `$`
 * @param quoted between double quotes
 * @returns a `$` that stands for itself is null
 * @throws RcError for everything that would have to be executed, or depends on the shell that runs
 */
export function readDollar(scanner: Scanner, quoted: boolean): VariablePart | null {
  const { line } = scanner;
  scanner.next();
  const after = scanner.peek();
  if (NAME_START.test(after)) return plainVariable(readName(scanner), line);
  if (after === '{') return readBraces(scanner);
  if (after === '(') throw readParenthesis(scanner, line);
  if (/[0-9@*#?!$-]/.test(after)) {
    throw scanner.error(`$${after} is known to a running shell only`, NOTHING_IS_RUN, line);
  }
  if (after === '[') {
    throw scanner.error('$[…] is arithmetic to some shells', `${NOTHING_IS_RUN}, or '$'[`, line);
  }
  if (!quoted && (after === "'" || after === '"')) {
    const hint = "write '$' between single quotes when the sign itself is meant";
    throw scanner.error(`$${after} does not mean the same to every shell`, hint, line);
  }
  return null;
}

function plainVariable(name: string, line: number): VariablePart {
  return { kind: 'variable', name, fallback: null, orEmpty: false, line };
}

function readName(scanner: Scanner): string {
  return scanner.takeWhile((character) => NAME.test(character));
}

function readParenthesis(scanner: Scanner, line: number): RcError {
  scanner.next();
  return scanner.peek() === '('
    ? scanner.error('$((…)) is arithmetic, which would have to be executed', NOTHING_IS_RUN, line)
    : scanner.error('$(…) is a command, which would have to be executed', NOTHING_IS_RUN, line);
}

function readBraces(scanner: Scanner): VariablePart {
  const { line } = scanner;
  scanner.next();
  const name = NAME_START.test(scanner.peek()) ? readName(scanner) : '';
  if (name === '') throw notPlain(scanner, line);
  const orEmpty = scanner.peek() === ':';
  if (orEmpty) scanner.next();
  const sign = scanner.peek();
  if (sign === '}' && !orEmpty) {
    scanner.next();
    return plainVariable(name, line);
  }
  if (sign !== '-') throw notPlain(scanner, line);
  scanner.next();
  return { kind: 'variable', name, fallback: readFallback(scanner, line), orEmpty, line };
}

function readFallback(scanner: Scanner, line: number): readonly Part[] {
  const parts = new PartList();
  for (;;) {
    const character = scanner.peek();
    if (character === '}') break;
    if (character === '$') addDollar(parts, scanner, true);
    else if (PLAIN.test(character)) parts.text(scanner.next());
    else throw notPlain(scanner, line);
  }
  scanner.next();
  return parts.done();
}

/** Reads what begins with a `$` into a list of parts. */
export function addDollar(parts: PartList, scanner: Scanner, quoted: boolean): void {
  const variable = readDollar(scanner, quoted);
  if (variable === null) parts.text('$');
  else parts.variable(variable);
}

function notPlain(scanner: Scanner, line: number): RcError {
  const hint = 'of these with braces only a name, or a name with - or :- and plain words, is read';
  return scanner.error(
    'This variable with braces would have to be executed by a shell',
    hint,
    line,
  );
}
