import type { RcError } from '../rc-error.js';
import type { Assignment } from './parts.js';
import { NOTHING_IS_RUN } from './read-dollar.js';
import { isWordEnd, readWord } from './read-word.js';
import type { Scanner } from './scanner.js';

const NAME = /^[A-Za-z_]/;
/** Assignments on one line are one command: shells do not agree on what a later one sees of an earlier one. */
export type Command = readonly Assignment[];

/**
 * What /etc/defaults/rc.conf of the system ends with: it defines the function by which the other files are read.
 * Known by its shape; what is in the function is not looked at, for nobody calls it.
 */
const DEFAULTS_END =
  /if \[ -z "\$\{source_rc_confs_defined\}" \]; then\n\tsource_rc_confs_defined=yes\n\tsource_rc_confs ?\(\) ?\{\n(?:\t\t.*\n|\n)*\t\}\nfi(?=\n|$)/y;

const COMPOUND = ['if', 'for', 'while', 'until', 'case', '{', '!', 'function', 'select', '[['];
const READS_FILES = ['.', 'source'];

/**
 * Reads a file's assignments, a command at a time.
 *
 * @param scanner at the beginning of the file
 * @returns the commands, read as they are asked for
 * @throws RcError for everything that is no plain assignment
 */
export function* readCommands(scanner: Scanner): Generator<Command> {
  for (;;) {
    skipEmptyLines(scanner);
    if (scanner.peek() === '') return;
    yield readCommand(scanner);
    endCommand(scanner);
  }
}

function skipBlanks(scanner: Scanner): void {
  scanner.takeWhile((character) => character === ' ' || character === '\t');
}

function skipEmptyLines(scanner: Scanner): void {
  for (;;) {
    skipBlanks(scanner);
    skipComment(scanner);
    if (scanner.peek() !== '\n') return;
    scanner.next();
  }
}

// No line goes on after the backslash at the end of a comment.
function skipComment(scanner: Scanner): void {
  if (scanner.peek() === '#') scanner.take(/[^\n]*/y);
}

function readCommand(scanner: Scanner): Command {
  const { line } = scanner;
  if (scanner.take(DEFAULTS_END) !== null) {
    return [{ name: 'source_rc_confs_defined', parts: [{ kind: 'text', text: 'yes' }], line }];
  }
  const assignments: Assignment[] = [];
  while (!isCommandEnd(scanner.peek())) {
    assignments.push(readAssignment(scanner));
    skipBlanks(scanner);
  }
  if (assignments.length === 0) throw operator(scanner);
  return assignments;
}

function isCommandEnd(character: string): boolean {
  return isWordEnd(character) || character === '#';
}

// After the last assignment and the blanks behind it.
function endCommand(scanner: Scanner): void {
  skipComment(scanner);
  const character = scanner.peek();
  if (character === '' || character === '\n') return;
  if (character !== ';') throw operator(scanner);
  scanner.next();
  if (scanner.peek() === ';') throw operator(scanner);
}

function readAssignment(scanner: Scanner): Assignment {
  const { line } = scanner;
  const name = readName(scanner);
  if (!NAME.test(name) || scanner.peek() !== '=') throw notAnAssignment(scanner, name, line);
  scanner.next();
  const parts = readWord(scanner, (character, last) => checkCharacter(scanner, character, last));
  if (scanner.peek() === '(') {
    throw scanner.error(`${name}=(…) is an array, which sh(1) does not have`, undefined, line);
  }
  return { name, parts, line };
}

// What it takes may be no name, as in 2nd=x: sh(1) has a command there.
function readName(scanner: Scanner): string {
  return scanner.takeWhile((character) => /[A-Za-z0-9_]/.test(character));
}

function checkCharacter(scanner: Scanner, character: string, last: string | null): void {
  if (character !== '~' || (last !== '' && last !== ':')) return;
  const hint = "write the directory itself, or '~' between quotes when the sign is meant";
  throw scanner.error('~ is a home directory, which only a running shell knows', hint);
}

function notAnAssignment(scanner: Scanner, name: string, line: number): RcError {
  const rest = scanner.peek();
  if (rest === '(') {
    return scanner.error(`${name}() is a function: nothing is executed here`, undefined, line);
  }
  if (rest === '+' && name !== '') {
    const hint = `write ${name}="\${${name}} …"`;
    return scanner.error(`${name}+= is not known to sh(1)`, hint, line);
  }
  const word = name + scanner.takeWhile((character) => !isWordEnd(character)).slice(0, 40);
  return notRun(scanner, word, line);
}

function notRun(scanner: Scanner, word: string, line: number): RcError {
  const text = JSON.stringify(word);
  if (COMPOUND.includes(word)) {
    return scanner.error(`${text} would have to be executed`, NOTHING_IS_RUN, line);
  }
  if (READS_FILES.includes(word)) {
    const hint = 'give all files, in their order, to whoever reads this one';
    return scanner.error(`${text} reads another file, which is not done here`, hint, line);
  }
  const hint = 'only assignments are read here: name="value"';
  return scanner.error(`${text} is a command, which would have to be executed`, hint, line);
}

function operator(scanner: Scanner): RcError {
  const character = scanner.peek();
  const what = OPERATORS[character] ?? 'not expected here';
  return scanner.error(
    `${JSON.stringify(character)} is ${what}`,
    'put it between quotes if it belongs to the value',
  );
}

const OPERATORS: Readonly<Record<string, string>> = {
  '|': 'a pipe, which would have to be executed',
  '&': 'a command’s end that would have to be executed',
  '<': 'a redirection, which would have to be executed',
  '>': 'a redirection, which would have to be executed',
  '(': 'a subshell or a function, which would have to be executed',
};
