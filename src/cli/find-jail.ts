import { type JailError, jailNotFound } from '../errors.js';
import { listJails } from '../list.js';
import type { JailInfo } from '../reports.js';

/**
 * What stands on a command line for a jail: digits are a jid, everything else is a name.
 *
 * @param text such as `3` or `www`
 * @returns as `Jail.open()` takes it
 */
export function jailId(text: string): number | string {
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}

/**
 * Picks jails by what stands on a command line.
 *
 * @param ids jids and names; none is all jails
 * @param jails what to pick from
 * @throws JailError `ERR_JAIL_NOT_FOUND`
 */
export function pickJails(ids: readonly string[], jails: readonly JailInfo[] = listJails()) {
  return ids.length === 0 ? [...jails] : ids.map((text) => findJail(text, jails));
}

/**
 * Finds the jail that stands on a command line.
 *
 * @param text a jid or a name
 * @param jails what to look through
 * @throws JailError `ERR_JAIL_NOT_FOUND`
 */
export function findJail(text: string, jails: readonly JailInfo[] = listJails()): JailInfo {
  const id = jailId(text);
  const jail = jails.find(({ jid, name }) => (typeof id === 'number' ? jid : name) === id);
  if (jail === undefined) throw notThere(id, jails);
  return jail;
}

function notThere(id: number | string, jails: readonly JailInfo[]): JailError {
  const error = jailNotFound(id);
  const known = jails.some(({ hostname }) => hostname === id);
  return known
    ? Object.assign(error, { hint: 'that is a hostname: take the jid or the name' })
    : error;
}
