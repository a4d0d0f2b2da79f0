import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Jail } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';
import { needRoot, onDragonfly, onModel, onRealDragonfly } from '../support/environment.js';
import {
  appendFile,
  makeDirectory,
  makeLink,
  readFile,
  removeFile,
  writeFile,
} from '../support/files.js';
import { compileHostile } from '../support/hostile.js';
import { useJails } from '../support/jails.js';
import { system } from '../support/system/index.js';

describe('the user of a command', () => {
  const jails = useJails();
  let jail: Jail;

  before(async () => {
    const etc = join(jails.root.path, 'etc');
    const home = join(jails.root.path, 'home/www');
    appendFile(join(etc, 'passwd'), 'www:x:1234:1200:a web server:/home/www:/bin/sh\n');
    appendFile(join(etc, 'group'), 'www:x:1200:\nstaff:x:2345:daemon,www\nlogs:x:2346:www\n');
    makeDirectory(home);
    // On DragonFly for the programs inside, which read databases of it.
    if (!onModel) await prepareThinRoot(jails.root.path);
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  it('is the root of the jail', async () => {
    const { stdout } = await jail.exec('sh', ['-c', 'id -u; id -g; id -G']);
    assert.equal(stdout, '0\n0\n0\n');
  });

  it('can be named, root by name and by number being the same', async () => {
    for (const user of ['root', 0]) {
      assert.equal((await jail.exec('id', ['-u'], { user })).stdout, '0\n');
    }
  });

  it('is looked up in the jail’s own files, with all its groups', async function () {
    needRoot(this);
    const { stdout } = await jail.exec('sh', ['-c', 'id -u; id -g; id -G; id -un'], {
      user: 'www',
    });
    const [uid, gid, groups, name] = String(stdout).split('\n');
    assert.deepEqual([uid, gid], ['1234', '1200']);
    // id(1) of DragonFly asks a database that is made of the file; the package asks the file.
    if (!onRealDragonfly) assert.equal(name, 'www');
    assert.deepEqual(groups?.split(' ').sort(), ['1200', '2345', '2346']);
  });

  it('can have another group', async function () {
    needRoot(this);
    const options = { user: 'www', group: 'logs' };
    assert.equal((await jail.exec('id', ['-g'], options)).stdout, '2346\n');
    assert.equal((await jail.exec('id', ['-g'], { group: 77 })).stdout, '77\n');
  });

  it('can be given other groups, by number', async function () {
    needRoot(this);
    const groups = async (options: object) =>
      String((await jail.exec('id', ['-G'], options)).stdout).trim();
    assert.equal(await groups({ user: 'www', groups: [7, 8] }), '1200 7 8');
    assert.equal(await groups({ user: 'www', group: 9, groups: [] }), '9');
    assert.equal(await groups({ groups: [7, 7, 0] }), '0 7');
  });

  it('can be a number that no file knows', async function () {
    needRoot(this);
    const { stdout } = await jail.exec('id', ['-u'], { user: 4321 });
    assert.equal(stdout, '4321\n');
  });

  it('has no rights of root', async function () {
    needRoot(this);
    const script = 'echo > /etc/owned; cat /etc/secret; kill -0 1';
    writeFile(join(jails.root.path, 'etc/secret'), 'secret', 0o600);
    const { stdout } = await jail.exec('sh', ['-c', script], { user: 'www' });
    assert.equal(stdout, '');
    if (onDragonfly) return; // which has no capabilities of processes
    const caps = await jail.exec('grep', ['CapEff', '/proc/self/status'], { user: 'www' });
    assert.match(String(caps.stdout), /^CapEff:\s+0+\n$/);
  });

  it('cannot become root again', async function () {
    needRoot(this);
    compileHostile(this, jails.root);
    for (const uid of ['0', '1200']) {
      const { stdout } = await jail.exec('/hostile/try', ['setuid', uid], { user: 'www' });
      assert.equal(stdout, `result ${constants.errno.EPERM}\n`);
    }
    if (onDragonfly) return;
    const { stdout } = await jail.exec('grep', ['^Uid', '/proc/self/status'], { user: 'www' });
    assert.match(String(stdout), /^Uid:\s+1234\s+1234\s+1234\s+1234\n$/);
  });

  it('logs in to a home directory', async function () {
    needRoot(this);
    const script = 'pwd; echo $HOME $USER $SHELL';
    const { stdout } = await jail.exec('sh', ['-c', script], { user: 'www', login: true });
    assert.equal(stdout, '/home/www\n/home/www www /bin/sh\n');
  });

  it('owns what it makes in the jail and is listed by the jail’s number', async function () {
    needRoot(this);
    await jail.exec('sh', ['-c', 'echo > /home/by-root'], {});
    const command = jail.spawn('sleep', ['60'], { user: 'www' });
    await once(command, 'spawn');
    const listed = jail.processes().find(({ pid }) => pid === command.pid);
    assert.deepEqual([listed?.uid, listed?.gid], [1234, 1200]);
    const { stdout } = await jail.exec('sh', [
      '-c',
      `${system.printOwner} /home/by-root /etc/passwd`,
    ]);
    assert.equal(stdout, '0\n0\n');
  });

  it('is not looked up outside through a link in the jail, nor from a pipe or a huge file', async () => {
    const passwd = join(jails.root.path, 'etc/passwd');
    const saved = readFile(passwd);
    const outside = join(jails.root.outside, 'passwd');
    writeFile(outside, 'mallory:x:0:0::/:/bin/sh\n');
    try {
      removeFile(passwd);
      makeLink(outside, passwd);
      await assert.rejects(jail.exec('true', [], { user: 'mallory' }));
      removeFile(passwd);
      await jail.exec('mkfifo', ['/etc/passwd']);
      await assert.rejects(jail.exec('true', [], { user: 'mallory' }));
      removeFile(passwd);
      writeFile(passwd, `${'#'.repeat(2 ** 21)}\nmallory:x:0:0::/:/bin/sh\n`);
      await assert.rejects(jail.exec('true', [], { user: 'mallory' }));
    } finally {
      removeFile(passwd);
      writeFile(passwd, saved);
    }
    assert.equal((await jail.exec('id', ['-u'], { user: 'root' })).stdout, '0\n');
  });
});
