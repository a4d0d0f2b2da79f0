import { canonicalAddress } from './addresses.js';
import { selectBackend } from './backends/select.js';
import { invalidValue } from './errors.js';
import type { JailInfo } from './reports.js';
import {
  assertAbsolutePath,
  assertBoolean,
  assertKnownKeys,
  assertObject,
  assertText,
} from './validate.js';

/** What {@link findJails} looks for. All that is given must fit. */
export interface JailFilter {
  /** As it is now. It can be changed from inside: never find a jail to be trusted by it. */
  hostname?: string;
  /** The root directory on the host. */
  path?: string;
  /** One of the jail's addresses, in any spelling. */
  address?: string;
}

/** What {@link listJails} lists beside the running jails. */
export interface ListOptions {
  /**
   * Jails too that have ended and whose jids connections of the kernel's still hold (`state: 'lingering'`). False
   * unless given. On Linux there are none.
   */
  lingering?: boolean;
}

/**
 * The running jails: on DragonFly all of the host, on Linux those that this package made for this user.
 *
 * @param options what else to list; {@link ListOptions}
 * @returns by jid
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_NATIVE`, `ERR_JAIL_UNSUPPORTED`;
 *   JailSystemError when the list cannot be read
 * @see jls(8); sysctl(3) `jail.list` on DragonFly
 * @example
 * for (const { jid, hostname, addresses } of listJails()) {
 *   console.log(jid, hostname, addresses.map(({ address }) => address).join(' '));
 * }
 */
export function listJails(options: ListOptions = {}): JailInfo[] {
  assertObject(options, 'options', 'an object of options');
  assertKnownKeys(options, ['lingering'], 'options');
  const { lingering = false } = options;
  assertBoolean(lingering, 'options.lingering');
  return selectBackend().list({ lingering });
}

/**
 * The running jails that fit.
 *
 * @param where   what to look for; {@link JailFilter}
 * @param options what else to look among; {@link ListOptions}
 * @returns by jid; none is no error
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, and what {@link listJails} throws
 * @see jls(8)
 * @example const [jail] = findJails({ address: '10.0.0.7' });
 */
export function findJails(where: JailFilter, options: ListOptions = {}): JailInfo[] {
  const fits = compileFilter(where);
  return listJails(options).filter(fits);
}

function compileFilter(where: JailFilter): (jail: JailInfo) => boolean {
  assertObject(where, 'where', 'an object of what to look for');
  assertKnownKeys(where, ['hostname', 'path', 'address'], 'where', {
    name: 'use Jail.open(name)',
    jid: 'use Jail.open(jid)',
  });
  const { hostname } = where;
  if (hostname !== undefined) assertText(hostname, 'where.hostname', 'a hostname');
  const path = wantedPath(where.path);
  const address = wantedAddress(where.address);
  return (jail) =>
    (hostname === undefined || jail.hostname === hostname) &&
    (path === undefined || jail.path === path) &&
    (address === undefined || jail.addresses.some((own) => own.address === address));
}

function wantedPath(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  assertAbsolutePath(value, 'where.path', 'a directory path');
  return value.length > 1 ? value.replace(/\/+$/, '') || '/' : value;
}

function wantedAddress(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  assertText(value, 'where.address', 'an IPv4 or IPv6 address');
  const address = canonicalAddress(value);
  if (address === null) throw invalidValue('where.address', 'an IPv4 or IPv6 address', value);
  return address;
}
