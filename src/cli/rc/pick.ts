import { type JailError, jailNotFound } from '../../errors.js';
import type { RcConf, RcJail } from '../../rc/index.js';
import { confNames, type RcOptionValues } from '../options/rc.js';

/**
 * Picks jails of rc.conf by name.
 *
 * @param names which; none is all of jail_list
 * @param conf what there is
 * @param options where it was read from, for the hint
 * @throws JailError `ERR_JAIL_NOT_FOUND`
 */
export function pickRcJails(
  names: readonly string[],
  conf: RcConf,
  options: RcOptionValues,
): readonly RcJail[] {
  return (names.length === 0 ? conf.list : names).map((name) => {
    const jail = conf.jails.get(name);
    if (jail === undefined) throw notInConf(name, conf, options);
    return jail;
  });
}

function notInConf(name: string, { list }: RcConf, options: RcOptionValues): JailError {
  const known = list.length === 0 ? 'is empty or not there' : `has ${list.join(', ')}`;
  const hint = `jail_list in ${confNames(options)} ${known}; --rc-conf names another file`;
  return Object.assign(jailNotFound(name), { hint });
}
