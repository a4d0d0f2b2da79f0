/** A line of master.passwd(5). Its texts are bytes, one to a character. */
export interface MasterAccount {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  /** The login class; empty: the default one. */
  readonly loginClass: string;
  /** Seconds since 1970; 0: never. */
  readonly change: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
  /** Seconds since 1970; 0: never. */
  readonly expire: number;
  /** Which fields say something, as bits in the order of `struct passwd`. */
  readonly filled: number;
}

/** What {@link parseMasterPasswd} found. */
export interface MasterPasswd {
  readonly accounts: readonly MasterAccount[];
  /** The number of the first line that is none, from 1; null when all are. */
  readonly badLine: number | null;
}

/** Bytes of a line, at most: LINE_MAX of pwd_mkdb(8), which takes no longer ones. */
export const MAX_LINE = 2046;
const FIELDS = 10;
const MAX_ID = 0xfffffffe;

/**
 * Reads a master.passwd(5) as pwd_mkdb(8) does. Lines that it would refuse are left out, and those of NIS, which begin
 * with `+` or `-`.
 *
 * @param bytes the file
 */
export function parseMasterPasswd(bytes: Uint8Array): MasterPasswd {
  const accounts: MasterAccount[] = [];
  let badLine: number | null = null;
  for (const [index, line] of Buffer.from(bytes).toString('latin1').split('\n').entries()) {
    if (/^[ \t]*(#|$)/.test(line)) continue;
    const account = line.length > MAX_LINE ? null : parseLine(line);
    if (account !== null) accounts.push(account);
    else badLine ??= index + 1;
  }
  return { accounts, badLine };
}

function parseLine(line: string): MasterAccount | null {
  const fields = line.split(':');
  if (fields.length !== FIELDS || line.includes('\0')) return null;
  const [name = '', password = '', user = '', group = '', loginClass = ''] = fields;
  const [, , , , , changed = '', expires = '', comment = '', home = '', shell = ''] = fields;
  const [uid, gid] = [idOf(user), idOf(group)];
  const [change, expire] = [timeOf(changed), timeOf(expires)];
  if (!/^[^+-]/.test(name) || uid === null || gid === null) return null;
  if (change === null || expire === null || (name === 'root' && uid !== 0)) return null;
  const texts = [name, password, user, group, changed, loginClass, comment, home, shell, expires];
  const filled = texts.reduce((bits, text, index) => (text === '' ? bits : bits | (1 << index)), 0);
  const numbers = { uid, gid, change, expire, filled };
  return { name, password, loginClass, comment, home, shell, ...numbers };
}

function idOf(text: string): number | null {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : null;
}

function timeOf(text: string): number | null {
  return /^\d{0,10}$/.test(text) && Number(text) <= 0xffffffff ? Number(text) : null;
}
