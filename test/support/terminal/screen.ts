import type { ScreenOptions } from './window.js';

// What a terminal shows, for where there is no tmux: of the sequences of xterm those that shells, stty(1) and this package
// write.

interface Cell {
  readonly text: string;
  /** The parameters of the sequence of colours that it was written with: `1;31`. */
  readonly style: string;
}

interface Line {
  cells: (Cell | undefined)[];
  /** It goes on in the next one: there was no more room. */
  broken: boolean;
}

interface Page {
  lines: Line[];
  row: number;
  column: number;
}

const TOKEN =
  /\x1b\[([?>]?[0-9;]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[^[\]()]|[\s\S]/gu;
const UNFINISHED = /\x1b(\[[?>]?[0-9;]*|\][^\x07\x1b]*|[()])?$/;
const TAB = 8;

/** The grid of a terminal, and the cursor in it. */
export class Screen {
  #columns: number;
  #rows: number;
  #page: Page;
  #other: Page | null = null;
  #style = '';
  #rest = '';

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.#page = emptyPage(rows);
  }

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    const page = this.#page;
    for (const line of page.lines) line.cells.length = Math.min(line.cells.length, columns);
    const above = Math.max(0, page.row - rows + 1);
    page.lines.splice(0, above);
    page.row -= above;
    page.lines.length = Math.min(page.lines.length, rows);
    while (page.lines.length < rows) page.lines.push(emptyLine());
    page.column = Math.min(page.column, columns - 1);
  }

  /** What a program writes to it. */
  write(text: string): void {
    const all = this.#rest + text;
    this.#rest = UNFINISHED.exec(all)?.[0] ?? '';
    const finished = all.slice(0, all.length - this.#rest.length);
    for (const [token, parameters = '', final] of finished.matchAll(TOKEN)) {
      if (final !== undefined) this.#control(parameters, final);
      else if (!token.startsWith('\x1b')) this.#character(token);
    }
  }

  text({ colours = false, whole = true }: ScreenOptions): string {
    let text = '';
    for (const { cells, broken } of this.#page.lines) {
      const line = colours ? coloured(cells) : plain(cells);
      text += whole ? line + (broken ? '' : '\n') : `${line.trimEnd()}\n`;
    }
    return text;
  }

  get #line(): Line {
    return this.#page.lines[this.#page.row] as Line;
  }

  #character(text: string): void {
    const page = this.#page;
    if (text === '\r') page.column = 0;
    else if (text === '\n') this.#down();
    else if (text === '\b') page.column = Math.max(0, Math.min(page.column, this.#columns) - 1);
    else if (text === '\t')
      page.column = Math.min(this.#columns - 1, (Math.floor(page.column / TAB) + 1) * TAB);
    else if (text >= ' ') this.#put(text);
  }

  #put(text: string): void {
    const page = this.#page;
    if (page.column >= this.#columns) {
      this.#line.broken = true;
      page.column = 0;
      this.#down();
    }
    this.#line.cells[page.column++] = { text, style: this.#style };
  }

  #down(): void {
    const page = this.#page;
    if (page.row < this.#rows - 1) page.row++;
    else {
      page.lines.shift();
      page.lines.push(emptyLine());
    }
  }

  #control(parameters: string, final: string): void {
    if (parameters.startsWith('?')) {
      if (/^\?(1049|1047|47)$/.test(parameters)) this.#switchPage(final === 'h');
      return;
    }
    const numbers = parameters.split(';').map((text) => Number(text || 0));
    this.#move(final, numbers);
    if (final === 'm') this.#style = styleAfter(this.#style, parameters);
    if (final === 'J') this.#clear(numbers[0] ?? 0);
    if (final === 'K') this.#clearLine(numbers[0] ?? 0);
  }

  #move(final: string, [first = 0, second = 0]: readonly number[]): void {
    const page = this.#page;
    const by = Math.max(1, first);
    if (final === 'A') page.row -= by;
    if (final === 'B') page.row += by;
    if (final === 'C') page.column += by;
    if (final === 'D') page.column -= by;
    if (final === 'G') page.column = by - 1;
    if (final === 'd') page.row = by - 1;
    if (final === 'H' || final === 'f') {
      page.row = by - 1;
      page.column = Math.max(1, second) - 1;
    }
    page.row = Math.max(0, Math.min(page.row, this.#rows - 1));
    page.column = Math.max(0, Math.min(page.column, this.#columns));
  }

  #clear(what: number): void {
    const { lines, row } = this.#page;
    const [from, to] =
      what === 0 ? [row + 1, lines.length] : what === 1 ? [0, row] : [0, lines.length];
    for (let at = from; at < to; at++) lines[at] = emptyLine();
    if (what < 2) this.#clearLine(what);
  }

  #clearLine(what: number): void {
    const line = this.#line;
    const { column } = this.#page;
    if (what === 0) line.cells.length = Math.min(line.cells.length, column);
    else line.cells.fill(undefined, 0, what === 1 ? column + 1 : undefined);
    if (what !== 1) line.broken = false;
    if (what === 2) line.cells = [];
  }

  #switchPage(toOther: boolean): void {
    if (toOther && this.#other === null) {
      this.#other = this.#page;
      this.#page = emptyPage(this.#rows);
    } else if (!toOther && this.#other !== null) {
      this.#page = this.#other;
      this.#other = null;
      this.resize(this.#columns, this.#rows);
    }
  }
}

function emptyLine(): Line {
  return { cells: [], broken: false };
}

function emptyPage(rows: number): Page {
  return { lines: Array.from({ length: rows }, emptyLine), row: 0, column: 0 };
}

// What takes away which of the others.
const ENDS: readonly (readonly [string, RegExp])[] = [
  ['22', /^[12]$/],
  ['23', /^3$/],
  ['24', /^4$/],
  ['27', /^7$/],
  ['39', /^(3|9)[0-7]$/],
  ['49', /^(4|10)[0-7]$/],
];

function styleAfter(before: string, parameters: string): string {
  let style = before.split(';').filter((one) => one !== '');
  for (const one of parameters.split(';')) {
    const end = ENDS.find(([number]) => number === one)?.[1];
    if (one === '' || one === '0') style = [];
    else if (end !== undefined) style = style.filter((other) => !end.test(other));
    else if (!style.includes(one)) style.push(one);
  }
  return style.join(';');
}

function plain(cells: Line['cells']): string {
  return Array.from(cells, (cell) => cell?.text ?? ' ').join('');
}

function coloured(cells: Line['cells']): string {
  let style = '';
  let text = '';
  for (const cell of Array.from(cells)) {
    const wanted = cell?.style ?? '';
    if (wanted !== style) text += wanted === '' ? '\x1b[0m' : `\x1b[${wanted}m`;
    style = wanted;
    text += cell?.text ?? ' ';
  }
  return style === '' ? text : `${text}\x1b[0m`;
}
