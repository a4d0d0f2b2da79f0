// What a row of the table says.
import { ratio, summary } from './statistics.mjs';

/**
 * A measurement, and what it is held against.
 *
 * @param what  in words
 * @param taken the times by name, ours as `ours`
 * @param bars  each `[name, most]`: ours / name must be at most that
 * @param unit  of the times
 */
export function compared(what, taken, bars, unit = 'ms') {
  const figures = Object.fromEntries(Object.entries(taken).map(([n, list]) => [n, summary(list)]));
  const judged = bars
    .filter(([name]) => taken[name] !== undefined)
    .map(([name, most]) => {
      const value = ratio(taken.ours, taken[name]);
      return {
        bar: `≤ ${digits(most)} × ${name}`,
        value,
        text: `${digits(value)} ×`,
        met: value <= most,
      };
    });
  return { what, unit, figures, judged };
}

/** One figure and its bound. */
export function bounded(what, list, most, unit) {
  const figure = summary(list);
  const { median } = figure;
  const judged = [
    {
      bar: `≤ ${digits(most)} ${unit}`,
      value: median,
      text: `${digits(median)} ${unit}`,
      met: median <= most,
    },
  ];
  return { what, unit, figures: { ours: figure }, judged };
}

/** Further bounds of a measurement. */
export function also(row, bar, value, met, unit = '×') {
  row.judged.push({ bar, value, text: `${digits(value)} ${unit}`, met });
  return row;
}

/** What could not be measured here, and why. */
export function absent(what, reason) {
  return { what, absent: reason };
}

/** Three significant digits. */
export function digits(value) {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.floor(Math.log10(Math.abs(value) || 1));
  return value.toFixed(Math.max(0, 2 - magnitude));
}
