import { hashFile, type Pair } from './hash-file.js';
import type { MasterAccount } from './master-passwd.js';

/** The files that DragonFly's C library looks accounts up in. */
export interface PasswordDatabases {
  /** /etc/pwd.db, for everybody: without passwords. */
  readonly pwd: Buffer;
  /** /etc/spwd.db, for root. */
  readonly spwd: Buffer;
}

// pwd.h: the first byte of a key is the format in its upper half, and what it is a key to in the lower one.
const BY_NAME = 1;
const BY_NUMBER = 2;
const BY_UID = 3;
const VERSION_KEY = Buffer.from('\xffVERSION', 'latin1');
const HIDDEN = '*';

/** How numbers are written; programs before the newer format still look for the older one. */
interface Format {
  readonly version: number;
  readonly number: (value: number) => Buffer;
}

const NEW: Format = {
  version: 4,
  number(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  },
};
const OLD: Format = {
  version: 3,
  number(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  },
};

/**
 * Makes the databases that pwd_mkdb(8) of DragonFly would make of accounts: each under its name, its number in the
 * file and its uid, in both formats. Of two with the same name or uid the first one is found by it.
 *
 * @param accounts in the order of the file
 * @throws RangeError an account is longer than a line of master.passwd(5) may be
 * @see pwd_mkdb(8), getpwent(3)
 */
export function passwordDatabases(accounts: readonly MasterAccount[]): PasswordDatabases {
  return {
    pwd: hashFile(pairsOf(accounts.map((account) => ({ ...account, password: HIDDEN })))),
    spwd: hashFile(pairsOf(accounts)),
  };
}

function pairsOf(accounts: readonly MasterAccount[]): Pair[] {
  const version = { key: VERSION_KEY, data: Buffer.of(NEW.version) };
  const records = accounts.flatMap((account, index) =>
    [NEW, OLD].flatMap((format) => pairsOfAccount(account, index + 1, format)),
  );
  return [version, ...records];
}

function pairsOfAccount(account: MasterAccount, number: number, format: Format): Pair[] {
  const data = recordOf(account, format);
  const name = Buffer.from(account.name, 'latin1');
  const key = (kind: number, what: Buffer) =>
    Buffer.concat([Buffer.of((format.version << 4) | kind), what]);
  return [
    { key: key(BY_NAME, name), data },
    { key: key(BY_NUMBER, format.number(number)), data },
    { key: key(BY_UID, format.number(account.uid)), data },
  ];
}

function recordOf(account: MasterAccount, { number }: Format): Buffer {
  const { name, password, uid, gid, change, loginClass, comment, home, shell } = account;
  const text = (...values: string[]) => Buffer.from(`${values.join('\0')}\0`, 'latin1');
  return Buffer.concat([
    text(name, password),
    ...[uid, gid, change].map(number),
    text(loginClass, comment, home, shell),
    ...[account.expire, account.filled].map(number),
  ]);
}
