import { JailError } from '../../errors.js';
import type { ResolvedSpawn } from '../../spawn-options.js';
import { rootCredential } from './credential.js';
import { lookup } from './place.js';
import type { Prison } from './prison.js';

/** Who a command is to run as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Empty: no file knows the number. */
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** An account with its groups, the first being the effective one. */
export interface CommandIdentity {
  readonly account: Account;
  readonly groups: readonly number[];
}

/** Root where there is no password file: as a command without a user runs. */
const ROOT: Account = { uid: 0, gid: 0, name: '', home: '/', shell: '/bin/sh' };
/** As the monitor: nothing of a jail that is larger is read. */
const MAX_FILE = 1 << 20;
const NO_ID = 0xffff_ffff;

/**
 * Looks up who a command is to run as, in the jail's own files, as the native monitor does.
 *
 * @throws JailError `ERR_JAIL_UNKNOWN_USER`, `ERR_JAIL_UNKNOWN_GROUP`
 */
export function findIdentity(prison: Prison, command: ResolvedSpawn): CommandIdentity {
  const { user, group, groups, login } = command;
  if (user === null && group === null && groups === null && !login) {
    return { account: ROOT, groups: [ROOT.gid] };
  }
  const account = findUser(prison, user);
  const gid = findGroup(prison, group, account);
  const others = groups ?? groupsOf(prison, account.name);
  return { account, groups: [gid, ...others.filter((other) => other !== gid)] };
}

function findUser(prison: Prison, user: ResolvedSpawn['user']): Account {
  const wanted = user ?? 0;
  const accounts = lines(prison, '/etc/passwd').flatMap(parseAccount);
  const found = accounts.find(({ name, uid }) => name === wanted || uid === wanted);
  if (found !== undefined) return found;
  if (typeof wanted === 'number') return { ...ROOT, uid: wanted, gid: wanted };
  throw unknown('ERR_JAIL_UNKNOWN_USER', 'user', wanted);
}

function findGroup(prison: Prison, group: ResolvedSpawn['group'], account: Account): number {
  if (group === null) return account.gid;
  if (typeof group === 'number') return group;
  const found = readGroups(prison).find(({ name }) => name === group);
  if (found === undefined) throw unknown('ERR_JAIL_UNKNOWN_GROUP', 'group', group);
  return found.gid;
}

function groupsOf(prison: Prison, user: string): number[] {
  if (user === '') return [];
  const groups = readGroups(prison).filter(({ members }) => members.includes(user));
  return [...new Set(groups.map(({ gid }) => gid))];
}

function readGroups(prison: Prison): { name: string; gid: number; members: string[] }[] {
  return lines(prison, '/etc/group').flatMap((line) => {
    const [name = '', , number, members] = line.split(':');
    const gid = parseId(number);
    if (name === '' || gid === null || members === undefined) return [];
    return [{ name, gid, members: members.split(',') }];
  });
}

function parseAccount(line: string): Account[] {
  const [name = '', , user, group, , home, shell = ''] = line.split(':');
  const [uid, gid] = [parseId(user), parseId(group)];
  if (name === '' || uid === null || gid === null || home === undefined) return [];
  return [{ name, uid, gid, home, shell }];
}

function parseId(text = ''): number | null {
  return /^\d+$/.test(text) && Number(text) < NO_ID ? Number(text) : null;
}

// Links are followed as an inmate would follow them; a service jail need not have such files at all.
function lines(prison: Prison, path: string): string[] {
  try {
    const { root } = prison;
    const viewer = { root, cwd: root, uid: 0, pid: 0, credential: { ...rootCredential, prison } };
    const { kind, content } = lookup(viewer, path).vnode;
    if (kind !== 'file' || content.length > MAX_FILE) return [];
    return Buffer.from(content).toString('utf8').split('\n');
  } catch {
    return [];
  }
}

function unknown(code: string, what: string, name: string): JailError {
  const message = `The jail's own files know no ${what} ${name} (step ${what}, '${name}')`;
  return new JailError(code, message);
}
