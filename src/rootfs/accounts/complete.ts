import type { Folder } from '../folder.js';
import { Tree } from '../tree.js';
import { parseMasterPasswd } from './master-passwd.js';
import { passwordDatabases } from './password-databases.js';

/** A few hundred accounts. What is longer is not the passwd of a thin root, and the jail's to choose. */
const MAX_FILE = 1 << 16;
const PASSWD_FIELDS = 7;
const FILES = { 'master.passwd': 0o600, 'spwd.db': 0o600, 'pwd.db': 0o644 } as const;

/**
 * Makes what DragonFly's C library needs to find the accounts of a root's /etc/passwd: master.passwd(5) and the databases
 * of it. Accounts that master.passwd lacks are added, and the databases made anew then; what is in step stays as it is,
 * and so does what pwd_mkdb(8) would refuse.
 *
 * @param etc the root's /etc, with a passwd
 * @param root the path of the root
 * @throws JailSystemError step `root`
 */
export async function completeAccounts(etc: Folder, root: string): Promise<void> {
  const names = Object.keys(FILES) as (keyof typeof FILES)[];
  const kinds = await Promise.all(names.map((name) => etc.kindOf(name)));
  const passwd = textIn(root, '/etc/passwd');
  if (passwd === null || kinds.some((kind) => kind !== null && kind !== 'file')) return;
  const old = kinds[0] === null ? '' : textIn(root, '/etc/master.passwd');
  if (old === null) return;
  const added = missingLines(passwd, old);
  if (added === '' && !kinds.includes(null)) return;
  const master = `${old}${added}`;
  const { accounts, badLine } = parseMasterPasswd(Buffer.from(master, 'latin1'));
  if (badLine !== null) return;
  const { pwd, spwd } = passwordDatabases(accounts);
  const contents = {
    'master.passwd': Buffer.from(master, 'latin1'),
    'spwd.db': spwd,
    'pwd.db': pwd,
  };
  for (const [index, name] of names.entries()) {
    if (added !== '' || kinds[index] === null) await etc.replace(name, contents[name], FILES[name]);
  }
}

/** One byte to a character; null where there is no such file, or a longer one. */
function textIn(root: string, path: string): string | null {
  const tree = Tree.open(root);
  try {
    const place = tree.findFile(path);
    if (place === null || place.size > MAX_FILE) return null;
    return tree.read(path, (file) =>
      Buffer.from(file.read(0, Math.min(file.size, MAX_FILE))).toString('latin1'),
    );
  } finally {
    tree.close();
  }
}

/** Lines for the accounts of a passwd that a master.passwd lacks: without password, login class and times of expiry. */
function missingLines(passwd: string, master: string): string {
  const known = new Set(master.split('\n').map((line) => line.slice(0, line.indexOf(':'))));
  const lines = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([name = '', ...rest]) => rest.length === PASSWD_FIELDS - 1 && !known.has(name))
    .map(([name, , uid, gid, ...rest]) => [name, '*', uid, gid, '', 0, 0, ...rest].join(':'))
    .filter((line) => parseMasterPasswd(Buffer.from(line, 'latin1')).accounts.length === 1);
  const start = lines.length > 0 && master !== '' && !master.endsWith('\n') ? '\n' : '';
  return `${start}${lines.map((line) => `${line}\n`).join('')}`;
}
