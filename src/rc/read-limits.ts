import { type Limits, type LimitValue, resolveLimits, rlimitNames } from '../limits.js';
import { nearestWord } from '../validate.js';
import { badSetting, checked, type JailSettings, listOf, type Setting } from './settings.js';

const NAMES = [...rlimitNames, 'memory', 'processes'] as const;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const HINT = 'such as nofile=1024 cpu=60:90 (soft:hard) memory=512m core=0 stack=unlimited';

/**
 * `jail_<name>_limits`, such as `nofile=1024 cpu=60:90 memory=512m`.
 *
 * @param settings of the jail
 * @throws RcError
 */
export function readLimits(settings: JailSettings): Limits {
  const found = settings.shared('limits');
  if (found === null) return {};
  const limits: Limits = Object.fromEntries(
    listOf(found.value).map((word) => readWord(word, found)),
  );
  checked(found, () => resolveLimits(limits));
  return limits;
}

function readWord(word: string, found: Setting): [string, LimitValue] {
  const [, name = word, value = ''] = /^([^=]*)=(.*)$/.exec(word) ?? [];
  if (!NAMES.some((each) => each === name)) {
    const near = nearestWord(name, NAMES);
    throw badSetting(
      found,
      `There is no limit ${JSON.stringify(name)}`,
      near ? `did you mean ${near}?` : HINT,
    );
  }
  const [soft = '', hard, ...more] = value.split(':');
  if (more.length > 0) throw badSetting(found, `${JSON.stringify(word)} is no limit`, HINT);
  if (hard === undefined) return [name, amount(soft, word, found)];
  return [name, { soft: amount(soft, word, found), hard: amount(hard, word, found) }];
}

function amount(value: string, word: string, found: Setting): number {
  if (value === 'unlimited') return Number.POSITIVE_INFINITY;
  const [, digits, unit = ''] = /^([0-9]{1,15})([kmg]?)$/i.exec(value) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  throw badSetting(found, `${JSON.stringify(word)} is no limit`, HINT);
}
