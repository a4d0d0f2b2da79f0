// The table, for people.
import { digits } from './row.mjs';

/** One row as lines of a Markdown table. */
export function lines(row) {
  if (row.absent) return [`| ${row.what} | – | – | not measured: ${row.absent} | – |`];
  const { ours, ...others } = row.figures;
  const beside = Object.entries(others).map(
    ([name, figure]) => `${name}: ${spread(figure, row.unit)}`,
  );
  const first = row.judged[0] ?? { bar: '–', text: '–', met: null };
  const more = row.judged.slice(1);
  const cells = [
    row.what,
    spread(ours, row.unit),
    beside.join('<br>') || '–',
    judge([first]),
    verdict([first]),
  ];
  return [
    line(cells),
    ...more.map((judged) => line(['', '', '', judge([judged]), verdict([judged])])),
  ];
}

/** The head of the table. */
export const head = ['| what | here | beside | measured (bar) | met |', '|---|---|---|---|---|'];

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}

function judge([{ bar, text }]) {
  return bar === '–' ? '–' : `${text} (${bar})`;
}

function verdict([{ met }]) {
  return met === null ? '–' : met ? 'yes' : '**no**';
}

function spread({ median, low, high }, unit) {
  return `${digits(median)} ${unit} (${digits(low)}–${digits(high)})`;
}
