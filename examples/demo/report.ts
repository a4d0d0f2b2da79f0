// How the demo talks to a person.
import { styleText } from 'node:util';

const isTerminal = process.stdout.isTTY;

/** Something was not as the package promises. */
class BrokenPromise extends Error {}

export function fail(text: string): Error {
  return new BrokenPromise(text);
}

export function heading(text: string): void {
  console.log(`\n${paint('bold', text)}`);
}

export function done(text: string): void {
  console.log(`  ${paint('green', '✓')} ${text}`);
}

export function detail(text: string): void {
  console.log(`      ${text}`);
}

export function check(what: string, kept: boolean, problem: string): void {
  if (!kept) throw fail(`${what}: ${problem}`);
  done(what);
}

/** For what a program writes: the last newline does not count. */
export function checkEqual(what: string, actual: unknown, expected: string): void {
  const [got, wanted] = [String(actual).trim(), expected.trim()];
  check(`${what} ${wanted}`, got === wanted, `it was "${got}"`);
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [titles, ...rows];
  const widths = titles.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  for (const row of all) {
    const [first = '', ...numbers] = row;
    const cells = numbers.map((cell, i) => cell.padStart(widths[i + 1] ?? 0));
    console.log(`      ${[first.padEnd(widths[0] ?? 0), ...cells].join('   ')}`);
  }
}

function paint(style: 'bold' | 'green', text: string): string {
  return isTerminal ? styleText(style, text) : text;
}
