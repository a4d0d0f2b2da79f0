import type { JailAddress } from '../addresses.js';
import type { RawJail } from '../native.js';
import type { JailInfo } from '../reports.js';

/**
 * A registry entry as the API shows it.
 *
 * @param raw   what the addon read
 * @param owned was it made by this program?
 */
export function jailInfo(raw: RawJail, owned: boolean): JailInfo {
  return {
    jid: raw.jid,
    name: raw.name === '' ? null : raw.name,
    hostname: raw.hostname,
    path: raw.path,
    addresses: jailAddresses(raw.addresses, raw.scopeids),
    state: raw.state,
    confirmed: true, // an entry is listed only while its monitor holds the lock of it
    owned,
  };
}

/**
 * The addresses of an entry as the API shows them.
 *
 * @param addresses separated by spaces
 * @param scopeids  one for each, separated by spaces; 0: none
 */
export function jailAddresses(addresses: string, scopeids: string): JailAddress[] {
  const scopes = words(scopeids);
  return words(addresses).map((address, index) => {
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    const scopeid = Number(scopes[index] ?? 0);
    return scopeid === 0 ? { address, family } : { address, family, scopeid };
  });
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
