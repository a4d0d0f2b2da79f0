import { invalidValue } from '../../errors.js';
import { etcFiles } from '../etc-files.js';
import type { Tree } from '../tree.js';
import type { OwnerName } from './options.js';
import type { NamedGroup, NamedUser } from './user-options.js';

/** A line of passwd(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

/** A line of group(5). */
export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: string[];
}

/** The users and groups of a root. */
export class Accounts {
  readonly #linux: boolean;
  readonly users = new Map<string, Account>();
  readonly groups = new Map<string, Group>();

  /** @param linux whether they are those of a Linux system */
  constructor(linux: boolean) {
    this.#linux = linux;
    const files = etcFiles(linux);
    for (const user of parseUsers(files.get('passwd') ?? '')) this.users.set(user.name, user);
    for (const group of parseGroups(files.get('group') ?? '')) this.groups.set(group.name, group);
  }

  /**
   * Adds users, in the place of those of the same name.
   *
   * @param users what was asked for
   * @param host the system whose users may be named
   * @throws JailError `ERR_INVALID_ARG_VALUE`: a user or a group is not there, or two are the same
   */
  add(users: readonly NamedUser[], host: Tree): void {
    const hostUsers = parseUsers(host.text('/etc/passwd') ?? '');
    const hostGroups = parseGroups(host.text('/etc/group') ?? '');
    const seen = new Set<string>();
    for (const user of users) {
      if (seen.has(user.name))
        throw invalidValue(user.argument, 'a user of another name', user.name);
      seen.add(user.name);
      if (user.own === null) this.#addFromHost(user, hostUsers, hostGroups);
      else this.#addOwn(user, hostGroups);
    }
  }

  /** The number of a user by name. @throws JailError `ERR_INVALID_ARG_VALUE` */
  uid(owner: OwnerName, argument: string): number {
    if (typeof owner === 'number') return owner;
    const user = this.users.get(owner);
    if (user === undefined) throw invalidValue(argument, 'a user of the root', owner);
    return user.uid;
  }

  /** The number of a group by name. @throws JailError `ERR_INVALID_ARG_VALUE` */
  gid(owner: OwnerName, argument: string): number {
    if (typeof owner === 'number') return owner;
    const group = this.groups.get(owner);
    if (group === undefined) throw invalidValue(argument, 'a group of the root', owner);
    return group.gid;
  }

  /** The text of passwd(5). */
  passwd(): string {
    const password = this.#linux ? 'x' : '*';
    return lines([...this.users.values()], (user) => [
      user.name,
      password,
      ...numbers(user),
      ...rest(user),
    ]);
  }

  /** The text of master.passwd(5): no login class, and nothing that expires. */
  masterPasswd(): string {
    return lines([...this.users.values()], (user) => [
      user.name,
      '*',
      ...numbers(user),
      ...['', '0', '0'],
      ...rest(user),
    ]);
  }

  /** The text of group(5). */
  group(): string {
    const password = this.#linux ? 'x' : '*';
    return lines([...this.groups.values()], ({ name, gid, members }) => [
      name,
      password,
      `${gid}`,
      members.join(','),
    ]);
  }

  #addFromHost(
    { argument, name }: NamedUser,
    users: readonly Account[],
    groups: readonly Group[],
  ): void {
    const user = users.find((one) => one.name === name);
    if (user === undefined) {
      throw invalidValue(
        argument,
        'a user of this system, or an object with a name and a uid',
        name,
      );
    }
    this.users.set(name, user);
    const primary = groups.find(({ gid }) => gid === user.gid);
    this.#ensureGroup(primary?.name ?? name, user.gid);
    for (const group of groups.filter(({ members }) => members.includes(name))) {
      this.#join(name, group);
    }
  }

  #addOwn({ argument, name, own }: NamedUser, hostGroups: readonly Group[]): void {
    if (own === null) return;
    const { uid, gid, home, comment } = own;
    const shell = own.shell ?? (this.#linux ? '/usr/sbin/nologin' : '/sbin/nologin');
    this.users.set(name, { name, uid, gid, comment, home, shell });
    this.#ensureGroup(name, gid);
    for (const group of own.groups) this.#join(name, this.#find(group, argument, hostGroups));
  }

  #find(group: NamedGroup, argument: string, hostGroups: readonly Group[]): Omit<Group, 'members'> {
    if (typeof group !== 'string') return group;
    const found = this.groups.get(group) ?? hostGroups.find(({ name }) => name === group);
    if (found === undefined) {
      throw invalidValue(`${argument}.groups`, 'names of groups, or new ones with a gid', group);
    }
    return found;
  }

  #ensureGroup(name: string, gid: number): void {
    if ([...this.groups.values()].some((group) => group.gid === gid)) return;
    this.groups.set(this.groups.has(name) ? `${name}-${gid}` : name, { name, gid, members: [] });
  }

  #join(user: string, { name, gid }: Omit<Group, 'members'>): void {
    const group = this.groups.get(name) ?? { name, gid, members: [] };
    if (!group.members.includes(user)) group.members.push(user);
    this.groups.set(name, group);
  }
}

function parseUsers(text: string): Account[] {
  return rows(text, 7).flatMap(([name = '', , uid, gid, comment = '', home = '', shell = '']) =>
    isId(uid) && isId(gid) ? [{ name, uid: +uid, gid: +gid, comment, home, shell }] : [],
  );
}

function parseGroups(text: string): Group[] {
  return rows(text, 4).flatMap(([name = '', , gid, members = '']) =>
    isId(gid) ? [{ name, gid: +gid, members: members.split(',').filter(Boolean) }] : [],
  );
}

function rows(text: string, fields: number): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
    .filter((row) => row.length === fields && row[0] !== '');
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,10}$/.test(text);
}

function numbers({ uid, gid }: Account): string[] {
  return [`${uid}`, `${gid}`];
}

function rest({ comment, home, shell }: Account): string[] {
  return [comment, home, shell];
}

function lines<T>(rows: readonly T[], format: (row: T) => string[]): string {
  return rows.map((row) => `${format(row).join(':')}\n`).join('');
}
