import type { SpawnOptions } from '../spawn-options.js';
import { RcError } from './rc-error.js';
import type { RcUser } from './rc-jail.js';
import { readTextFile } from './source.js';

const MAX_GROUPS = 15;

/**
 * Who exec_start runs as, for `jail.spawn()`.
 *
 * @param user of the flags; null: root of the jail
 * @throws RcError the host has no such user; JailSystemError step `read`
 */
export function userOptions(user: RcUser | null): Pick<SpawnOptions, 'user' | 'group' | 'groups'> {
  if (user === null) return {};
  if (user.of === 'jail') return { user: user.name };
  const fields = lines('/etc/passwd').find(([name]) => name === user.name);
  const [, , uid, gid] = fields ?? [];
  if (!isNumber(uid) || !isNumber(gid)) {
    const hint = '-U looks a user up in the jail';
    throw new RcError(`The host has no user ${user.name}`, {
      file: '/etc/passwd',
      line: null,
      hint,
    });
  }
  const groups = lines('/etc/group').filter(([, , , members = '']) =>
    members.split(',').includes(user.name),
  );
  const ids = groups.flatMap(([, , id]) => (isNumber(id) && id !== gid ? [Number(id)] : []));
  return { user: Number(uid), group: Number(gid), groups: [...new Set(ids)].slice(0, MAX_GROUPS) };
}

function lines(file: string): string[][] {
  return readTextFile(file)
    .split('\n')
    .map((line) => line.split(':'));
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^[0-9]{1,10}$/.test(text);
}
