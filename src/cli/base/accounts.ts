import { codeOf, systemFailure, ToolFailure } from './failure.js';
import type { Host } from './host.js';

/** A user of the host: one line of passwd(5), with the groups of group(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** Beside its own. */
  readonly groups: readonly number[];
}

/**
 * Looks up a user of the host, as jail(8) does for `-u`.
 *
 * @param host the machine
 * @param name who
 * @throws ToolFailure what jail says when there is none
 * @see getpwnam(3), getgrouplist(3)
 */
export function findHostUser(host: Host, name: string): Account {
  const lines = readLines(host, '/etc/passwd', name);
  const fields = lines.map((line) => line.split(':')).find(([first]) => first === name);
  const uid = readId(fields?.[2]);
  const gid = readId(fields?.[3]);
  if (fields === undefined || uid === null || gid === null) throw noSuchUser(name);
  const [home = '/', shell = ''] = fields.slice(5, 7);
  return { name, uid, gid, home, shell, groups: memberships(host, name, gid) };
}

/** What jail(8) says when there is no such user. */
export function noSuchUser(name: string): ToolFailure {
  return new ToolFailure(`jail: ${name}: no such user`);
}

function memberships(host: Host, name: string, own: number): number[] {
  const groups: number[] = [];
  for (const line of readLines(host, '/etc/group', name)) {
    const [, , gid, members = ''] = line.split(':');
    const id = readId(gid);
    if (id === null || id === own || groups.includes(id)) continue;
    if (members.split(',').includes(name)) groups.push(id);
  }
  return groups;
}

function readLines(host: Host, path: string, user: string): string[] {
  try {
    return host.readText(path).split('\n');
  } catch (error) {
    if (path === '/etc/group' && codeOf(error) === 'ENOENT') return [];
    throw systemFailure('jail', `getpwnam: ${user}`, error);
  }
}

function readId(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : null;
}
