import { type Limits, type LimitValue, rlimitNames } from '../../limits.js';
import { nearestWord } from '../../validate.js';
import { UsageError } from '../failure.js';

/** The names that `--limit` takes. */
export const limitNames = [...rlimitNames, 'memory', 'processes'] as const;

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const HINT = 'nofile=1024, cpu=60:90 (soft:hard), memory=512m, core=0, stack=unlimited';

/**
 * Reads every `--limit NAME=VALUE`, a later one in the place of an earlier one.
 *
 * @param texts such as `nofile=1024`, `cpu=60:90`, `memory=512m`
 * @throws UsageError
 */
export function parseLimits(texts: readonly string[]): Limits {
  return Object.fromEntries(texts.map(parseLimit));
}

function parseLimit(text: string): [string, LimitValue] {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  const known = limitNames.find((each) => each === name);
  if (known === undefined) {
    const near = nearestWord(name || text, limitNames);
    throw badLimit(text, near === undefined ? HINT : `did you mean ${near}?`);
  }
  const [soft = '', hard, ...more] = value.split(':');
  if (more.length > 0) throw badLimit(text);
  if (hard === undefined) return [known, amount(soft, text)];
  return [known, { soft: amount(soft, text), hard: amount(hard, text) }];
}

function amount(value: string, text: string): number {
  if (value === 'unlimited') return Number.POSITIVE_INFINITY;
  const [, digits, unit = ''] = /^([0-9]+)([kmg]?)$/i.exec(value) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits === undefined || factor === undefined) throw badLimit(text);
  return Number(digits) * factor;
}

function badLimit(text: string, hint = HINT): UsageError {
  return new UsageError(`--limit ${text}: that is no limit`, hint);
}
