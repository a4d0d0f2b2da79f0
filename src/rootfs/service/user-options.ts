import { invalidValue } from '../../errors.js';
import { hasControlCharacter } from '../../text.js';
import {
  assertAbsolutePath,
  assertArray,
  assertInteger,
  assertKnownKeys,
  assertObject,
  assertText,
} from '../../validate.js';

/** A group by its name, or a new one. */
export type NamedGroup = string | { readonly name: string; readonly gid: number };

/** A checked user: one of this system, or a new one. */
export interface NamedUser {
  /** The argument, for messages. */
  readonly argument: string;
  readonly name: string;
  /** Null: it is a user of this system. */
  readonly own: OwnUser | null;
}

/** A new user. */
export interface OwnUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly NamedGroup[];
  readonly home: string;
  /** Null: none that lets anybody in. */
  readonly shell: string | null;
  readonly comment: string;
}

const USER = ['name', 'uid', 'gid', 'groups', 'home', 'shell', 'comment'];
const GROUP = ['name', 'gid'];
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;
const MAX_ID = 0xfffffffe;

/** Checks a user of options.users. @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` */
export function checkedUser(value: unknown, argument: string): NamedUser {
  if (typeof value === 'string') {
    return { argument, name: accountName(value, argument), own: null };
  }
  assertObject(value, argument, 'a name or an object with a name and a uid');
  assertKnownKeys(value, USER, argument, { gecos: 'use comment', homedir: 'use home' });
  const { uid, gid = uid, groups = [], home = '/', shell = null, comment = '' } = value;
  assertInteger(uid, `${argument}.uid`, 0, MAX_ID);
  assertInteger(gid, `${argument}.gid`, 0, MAX_ID);
  assertArray(groups, `${argument}.groups`);
  return {
    argument,
    name: accountName(value.name, `${argument}.name`),
    own: {
      uid,
      gid,
      groups: Array.from(groups, (one: unknown, index) =>
        checkedGroup(one, `${argument}.groups[${index}]`),
      ),
      home: field(home, `${argument}.home`),
      shell: shell === null ? null : field(shell, `${argument}.shell`),
      comment: commentField(comment, `${argument}.comment`),
    },
  };
}

function checkedGroup(value: unknown, name: string): NamedGroup {
  if (typeof value === 'string') return accountName(value, name);
  assertObject(value, name, 'a name or an object with a name and a gid');
  assertKnownKeys(value, GROUP, name);
  const { gid } = value;
  assertInteger(gid, `${name}.gid`, 0, MAX_ID);
  return { name: accountName(value.name, `${name}.name`), gid };
}

function accountName(value: unknown, name: string): string {
  assertText(value, name, 'a name');
  if (!NAME.test(value)) {
    throw invalidValue(name, 'a name of at most 32 letters, digits, `_`, `.` and `-`', value);
  }
  return value;
}

// Colons part the fields of passwd(5).
function field(value: unknown, name: string): string {
  assertAbsolutePath(value, name);
  if (value.includes(':')) throw invalidValue(name, 'a path without a colon', value);
  return value;
}

function commentField(value: unknown, name: string): string {
  assertText(value, name);
  if (value.includes(':') || hasControlCharacter(value)) {
    throw invalidValue(name, 'a string without colons and control characters', value);
  }
  return value;
}
