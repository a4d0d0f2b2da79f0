import { JailError } from '../../errors.js';
import type { Identity } from '../../spawn-options.js';
import { lookup } from './place.js';
import type { Prison } from './prison.js';

/** Who a command is to run as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** Root where there is no password file: as a command without a user runs. */
const ROOT: Account = { uid: 0, gid: 0, name: 'root', home: '/root', shell: '/bin/sh' };

/**
 * Looks a user up in the jail's own /etc/passwd, see passwd(5).
 *
 * @throws JailError `ERR_JAIL_UNKNOWN_USER`
 */
export function findUser(prison: Prison, user: Identity | null): Account {
  if (user === null) return ROOT;
  const accounts = lines(prison, '/etc/passwd').map(parseAccount);
  const found = accounts.find(({ name, uid }) => name === user || uid === user);
  if (found !== undefined) return found;
  if (typeof user === 'number') return { ...ROOT, uid: user, gid: user, name: '', home: '/' };
  throw unknown('ERR_JAIL_UNKNOWN_USER', 'user', user);
}

/**
 * Looks a group up in the jail's own /etc/group, see group(5).
 *
 * @throws JailError `ERR_JAIL_UNKNOWN_GROUP`
 */
export function findGroup(prison: Prison, group: Identity | null, account: Account): number {
  if (group === null) return account.gid;
  if (typeof group === 'number') return group;
  for (const line of lines(prison, '/etc/group')) {
    const [name, , gid] = line.split(':');
    if (name === group) return Number(gid);
  }
  if (group === 'wheel') return 0;
  throw unknown('ERR_JAIL_UNKNOWN_GROUP', 'group', group);
}

function parseAccount(line: string): Account {
  const [name = '', , uid, gid, , home = '/', shell = '/bin/sh'] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid), home, shell };
}

function lines(prison: Prison, path: string): string[] {
  try {
    const place = lookup({ root: prison.root, cwd: prison.root, uid: 0 }, path);
    const text = Buffer.from(place.vnode.content).toString('utf8');
    return text.split('\n').filter((line) => line !== '');
  } catch {
    return []; // a service jail need not have one
  }
}

function unknown(code: string, what: string, name: string): JailError {
  return new JailError(code, `There is no ${what} ${name} in the jail (step ${what}, '${name}')`);
}
