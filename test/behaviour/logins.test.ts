import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type as osType } from 'node:os';
import { join } from 'node:path';
import { type Jail, JailError, JailSystemError, type SpawnOptions } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';
import { needRoot, onModel, skip, skipOnModel } from '../support/environment.js';
import { appendFile, makeDirectory, removeFile, writeFile } from '../support/files.js';
import { useJails } from '../support/jails.js';

const onDragonFly = osType() === 'DragonFly';
const BASE_JAIL = '/usr/sbin/jail';

const CLASSES = `default:\\
\t:path=/sbin /bin,/usr/bin ~/bin:setenv=KIND=$,HOME=/no:\\
\t:umask=027:priority=0:filesize=64M:
small|People with little:\\
\t:openfiles=64:openfiles-cur=50:cputime=1h30m:datasize-cur=200M:\\
\t:coredumpsize=0:sbsize=2M:umask=077:priority=6:lang=C:timezone=UTC:\\
\t:tc=default:
loop:tc=loop:
`;

// Everything that a login class changes in a process, and who it is.
const SCRIPT = `umask; ulimit -a; ulimit -Ha; ps -o nice= -p $$; pwd; id; logname; env | sort |
  grep -v -e ^LOGNAME= -e ^TERM= -e ^PWD=`;

describe('a login', () => {
  const jails = useJails();
  let jail: Jail;

  before(async () => {
    const etc = join(jails.root.path, 'etc');
    const accounts = [
      { name: 'www', uid: 1234, group: 'small' },
      { name: 'none', uid: 1235, group: '' },
      { name: 'lost', uid: 1236, group: 'loop' },
      { name: 'joiner', uid: 1237, group: '' },
    ];
    let master = 'root:*:0:0::0:0::/root:/bin/sh\n';
    for (const { name, uid, group } of accounts) {
      appendFile(join(etc, 'passwd'), `${name}:*:${uid}:1200::/home/www:/bin/sh\n`);
      master += `${name}:*:${uid}:1200:${group}:0:0::/home/www:/bin/sh\n`;
    }
    appendFile(join(etc, 'group'), 'www:*:1200:\n');
    for (let n = 0; n < 20; n++) appendFile(join(etc, 'group'), `g${n}:*:${3000 + n}:joiner\n`);
    writeFile(join(etc, 'login.conf'), CLASSES);
    makeDirectory(join(jails.root.path, 'home/www'));
    writeFile(join(etc, 'master.passwd'), master, 0o600);
    if (onModel) return;
    for (const name of ['pwd.db', 'spwd.db']) removeFile(join(etc, name));
    await prepareThinRoot(jails.root.path);
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  function needClasses(context: Mocha.Context): void {
    skipOnModel(context, 'its monitor reads no login.conf');
    if (!onDragonFly) skip(context, 'login classes are DragonFly’s');
  }

  async function output(script: string, options: SpawnOptions): Promise<string> {
    const { stdout, stderr } = await jail.exec('sh', ['-c', script], options);
    assert.equal(stderr, '');
    return String(stdout);
  }

  it('has limits, umask, priority and variables of the user’s class', async function () {
    needClasses(this);
    const script = 'umask; ulimit -n; ulimit -Hn; ulimit -t; ulimit -f; ps -o nice= -p $$';
    const numbers = await output(script, { user: 'www', login: true });
    assert.deepEqual(numbers.trim().split(/\s+/), ['0077', '50', '64', '5400', '131072', '6']);
    const variables = await output('echo "$PATH $KIND $HOME $LANG $TZ"', {
      user: 'www',
      login: true,
    });
    assert.equal(variables, '/sbin:/bin:/usr/bin:/home/www/bin www /home/www C UTC\n');
    assert.equal(await output('umask', { user: 'none', login: true }), '0027\n');
    assert.equal(await output('umask', { user: 'www' }), '0022\n');
  });

  it('takes what is asked for before what the class says', async function () {
    needClasses(this);
    const limited = await output('ulimit -n; echo $KIND $PATH', {
      user: 'www',
      login: true,
      limits: { nofile: 40 },
      env: { KIND: 'mine', PATH: '/bin:/usr/bin' },
    });
    assert.equal(limited, '40\nmine /bin:/usr/bin\n');
    await jail.stop({ graceMs: 0 });
    jail = await jails.create({ limits: { nofile: { soft: 30, hard: 55 } } });
    const most = await output('ulimit -n; ulimit -Hn', { user: 'www', login: true });
    assert.equal(most, '50\n55\n', 'a class lifts no limit of the jail');
  });

  it('is what jail(8) makes of it', async function () {
    needClasses(this);
    if (!existsSync(BASE_JAIL)) skip(this, `there is no ${BASE_JAIL}`);
    for (const user of ['www', 'none', 'root']) {
      const theirs = execFileSync(
        BASE_JAIL,
        ['-l', '-U', user, jails.root.path, 'other.test', '', '/bin/sh', '-c', SCRIPT],
        { encoding: 'utf8' },
      );
      assert.equal(await output(SCRIPT, { user, login: true }), theirs);
    }
  });

  it('is refused where the class includes itself, and a login is asked for', async function () {
    needClasses(this);
    await assert.rejects(
      jail.exec('true', [], { user: 'lost', login: true }),
      (error) =>
        error instanceof JailSystemError &&
        error.code === 'ELOOP' &&
        error.step === 'user' &&
        error.path === '/etc/login.conf',
    );
    assert.equal(await output('umask', { user: 'lost' }), '0022\n');
  });

  it('takes nothing from a login.conf on Linux', async function () {
    needRoot(this);
    if (onDragonFly) skip(this, 'is about Linux');
    skipOnModel(this, 'it has no shell');
    const options = { user: 'www', login: true } as const;
    const [mask, path] = (await output('umask; echo $PATH', options)).split('\n');
    assert.equal(mask, '0022');
    assert.match(path ?? '', /^\/sbin:\/bin:.*\/usr\/pkg\/bin$/);
  });

  it('has a login name, and so has every user of a command', async function () {
    skipOnModel(this, 'it has no logname');
    if (!onDragonFly) skip(this, 'sessions have a login name on DragonFly');
    for (const user of ['www', 1234, 'root', undefined]) {
      const name = await output('logname', user === undefined ? {} : { user });
      assert.equal(name, user === 1234 || user === 'www' ? 'www\n' : 'root\n');
    }
    const nobody = await jail.exec('logname', [], { user: 4321 });
    assert.equal(nobody.stdout, '');
    assert.notEqual(nobody.exitCode, 0);
  });

  it('is refused to a user of more groups than DragonFly takes', async function () {
    needRoot(this);
    if (!onDragonFly && !onModel) skip(this, 'Linux takes more');
    for (const login of [true, false]) {
      await assert.rejects(
        jail.exec('true', [], { user: 'joiner', login }),
        (error) =>
          error instanceof JailError &&
          error.code === 'EINVAL' &&
          /step groups.*Hint: .*16 with/s.test(`${error.message}\nHint: ${error.hint}`),
      );
    }
    await jail.exec('true', [], { user: 'joiner', groups: [3000, 3001] });
  });
});
