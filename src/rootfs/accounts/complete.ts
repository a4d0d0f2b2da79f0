import type { Folder } from '../folder.js';
import { Tree } from '../tree.js';
import { parseMasterPasswd } from './master-passwd.js';
import { passwordDatabases } from './password-databases.js';

/** A few hundred accounts. What is longer is not the passwd of a thin root, and the jail's to choose. */
const MAX_FILE = 1 << 16;
const PASSWD_FIELDS = 7;

/**
 * Makes what DragonFly's C library needs to find the accounts of a root's /etc/passwd: master.passwd(5) and the
 * databases of it, each where it is missing. What is there stays.
 *
 * @param etc the root's /etc, with a passwd
 * @param root the path of the root
 * @throws JailSystemError step `root`
 */
export async function completeAccounts(etc: Folder, root: string): Promise<void> {
  const passwd = textIn(root, '/etc/passwd');
  if (passwd !== null) await etc.write('master.passwd', masterOf(passwd), 0o600);
  const master = textIn(root, '/etc/master.passwd');
  if (master === null) return;
  const { pwd, spwd } = passwordDatabases(parseMasterPasswd(Buffer.from(master)).accounts);
  await etc.write('pwd.db', pwd);
  await etc.write('spwd.db', spwd, 0o600);
}

function textIn(root: string, path: string): string | null {
  const tree = Tree.open(root);
  try {
    return tree.text(path, MAX_FILE);
  } finally {
    tree.close();
  }
}

/** Without passwords, login classes, and times at which something expires. */
function masterOf(passwd: string): string {
  return passwd
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length === PASSWD_FIELDS)
    .map(([name, , uid, gid, ...rest]) => `${[name, '*', uid, gid, '', 0, 0, ...rest].join(':')}\n`)
    .join('');
}
