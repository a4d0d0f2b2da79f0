import type { Io } from '../io.js';
import { printLine } from '../io.js';
import { paint } from './colours.js';
import { type Column, layOutTable } from './table.js';

/** Prints a table that fits the terminal; where stdout is none, nothing is cut. */
export function printTable<Row>(
  io: Io,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const { stdout, env } = io;
  const width = stdout.isTTY ? (stdout.columns ?? 80) : undefined;
  printLine(stdout, layOutTable(columns, rows, width, paint(stdout, env)).join('\n'));
}
