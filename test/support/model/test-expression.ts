import type { ModelProcess } from 'dragonfly-jail/testing';

/** test(1): one condition. */
export function evaluate(process: ModelProcess, args: readonly string[]): boolean {
  const [first = '', operator = '', second = ''] = args;
  if (first === '!') return !evaluate(process, args.slice(1));
  if (args.length === 1) return first !== '';
  if (args.length === 2) return unary(process, first, operator);
  if (operator === '=') return first === second;
  if (operator === '!=') return first !== second;
  return compare(Number(first), operator, Number(second));
}

function unary(process: ModelProcess, operator: string, value: string): boolean {
  if (operator === '-n') return value !== '';
  if (operator === '-z') return value === '';
  if (operator === '-t') return process.entry.files.get(Number(value))?.kind === 'terminal';
  try {
    const { kind } = process.stat(value);
    if (operator === '-d') return kind === 'directory';
    if (operator === '-f') return kind === 'file';
    return operator === '-e';
  } catch {
    return false;
  }
}

function compare(left: number, operator: string, right: number): boolean {
  const all: Readonly<Record<string, boolean>> = {
    '-eq': left === right,
    '-ne': left !== right,
    '-lt': left < right,
    '-le': left <= right,
    '-gt': left > right,
    '-ge': left >= right,
  };
  return all[operator] ?? false;
}
