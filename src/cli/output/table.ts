import type { Paint } from './colours.js';
import { escapeText } from './escape.js';
import { cutText, padText, textWidth } from './width.js';

/** One column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  /** May be cut down to so many columns when the table is too wide; without it, it is not. */
  readonly least?: number;
  /** What is shown; it may hold anything, and is escaped here. */
  text(row: Row): string;
  /** How it is marked. */
  paint?(row: Row, colour: Paint): ((text: string) => string) | undefined;
}

const GAP = '  ';

/**
 * Lays out a table.
 *
 * @param columns what is shown
 * @param rows of what
 * @param width of the terminal, in columns; undefined: none, nothing is cut
 * @param colour how it is marked
 * @returns lines; none is wider than the terminal
 */
export function layOutTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
  colour: Paint,
): string[] {
  const cells = rows.map((row) => columns.map((column) => escapeText(column.text(row))));
  const widths = fitWidths(columns, naturalWidths(columns, cells), width);
  const titles = columns.map(({ title }) => title);
  const line = (texts: readonly string[], marks: readonly (Mark | undefined)[]) =>
    layOutLine(columns, texts, widths, width, marks);
  const head = line(
    titles,
    titles.map(() => colour.bold),
  );
  const body = cells.map((texts, index) => line(texts, marksOf(columns, rows[index], colour)));
  return [head, ...body];
}

type Mark = (text: string) => string;

function marksOf<Row>(columns: readonly Column<Row>[], row: Row | undefined, colour: Paint) {
  return columns.map((column) => (row === undefined ? undefined : column.paint?.(row, colour)));
}

function naturalWidths<Row>(columns: readonly Column<Row>[], cells: readonly string[][]): number[] {
  return columns.map(({ title }, at) =>
    Math.max(textWidth(title), ...cells.map((texts) => textWidth(texts[at] ?? ''))),
  );
}

// The widest that may be cut is cut first, until all fits or nothing can be cut any more.
function fitWidths<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  width: number | undefined,
): number[] {
  const widths = [...natural];
  if (width === undefined) return widths;
  const gaps = GAP.length * (columns.length - 1);
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  while (excess > 0) {
    const at = widestFlexible(columns, widths);
    if (at < 0) break;
    widths[at] = (widths[at] ?? 1) - 1;
    excess--;
  }
  return widths;
}

function widestFlexible<Row>(columns: readonly Column<Row>[], widths: readonly number[]): number {
  let found = -1;
  for (const [at, { least }] of columns.entries()) {
    const own = widths[at] ?? 0;
    if (least === undefined || own <= least) continue;
    if (found < 0 || own > (widths[found] ?? 0)) found = at;
  }
  return found;
}

// What does not fit although everything was cut is cut at the terminal's edge.
function layOutLine<Row>(
  columns: readonly Column<Row>[],
  texts: readonly string[],
  widths: readonly number[],
  width: number | undefined,
  marks: readonly (Mark | undefined)[],
): string {
  let line = '';
  let used = 0;
  for (const [at, { align }] of columns.entries()) {
    const gap = at === 0 ? '' : GAP;
    const room = width === undefined ? Number.POSITIVE_INFINITY : width - used - gap.length;
    if (room < 1) break;
    const own = Math.min(widths[at] ?? 0, room);
    const cut = cutText(texts[at] ?? '', Math.max(own, 1));
    const last = at === columns.length - 1;
    const padded = last && align === undefined ? cut : padText(cut, own, align);
    const mark = marks[at];
    line += gap + (mark === undefined ? padded : mark(padded));
    used += gap.length + textWidth(padded);
  }
  return line.trimEnd();
}
