import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JailError, JailSystemError } from '#internal/errors.js';
import { surveyHost } from '#internal/rootfs/host.js';
import { prepareThinRoot } from '#internal/rootfs/index.js';
import { rootError } from '#internal/rootfs/root-error.js';
import { system } from '../support/system/index.js';

describe('a thin root', () => {
  let folder: string;
  let root: string;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-unit-')));
    root = join(folder, 'root');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const modeOf = (path: string) => (statSync(join(root, path)).mode & 0o7777).toString(8);

  it('is made where there is nothing yet, its parents included', async () => {
    root = join(folder, 'deep', 'down');
    await prepareThinRoot(root);
    assert(readdirSync(root).includes('etc'));
  });

  it('has the folders of a system, with their usual modes', async () => {
    const saved = process.umask(0o077);
    try {
      await prepareThinRoot(root);
    } finally {
      process.umask(saved);
    }
    for (const name of ['dev', 'etc', 'home', 'mnt', 'proc', 'run', 'usr', 'var']) {
      assert.equal(modeOf(name), '755', name);
    }
    assert.equal(modeOf('.'), '755');
    assert.equal(modeOf('tmp'), '1777');
    assert.equal(modeOf('var/tmp'), '1777');
    assert.equal(modeOf('root'), '700');
    assert.equal(modeOf('etc/passwd'), '644');
  });

  it('has few accounts, none of them the host’s, and no passwords', async () => {
    await prepareThinRoot(root);
    const read = (name: string) => readFileSync(join(root, 'etc', name), 'utf8');
    assert.match(read('passwd'), /^root:[x*]:0:0:[^:]*:\/root:\/bin\/sh$/m);
    assert.match(read('passwd'), /^nobody:/m);
    assert.match(read('passwd'), /^daemon:/m);
    assert.match(read('group'), /^(root|wheel):[x*]:0:$/m);
    assert.match(read('group'), /^nobody:/m);
    assert.match(read('hosts'), /127\.0\.0\.1\s+localhost/);
    assert.match(read('nsswitch.conf'), /^passwd:\s+files$/m);
    assert.equal(read('resolv.conf'), '');
    for (const line of read('passwd').trim().split('\n')) assert.equal(line.split(':').length, 7);
    for (const line of read('group').trim().split('\n')) assert.equal(line.split(':').length, 4);
  });

  it('gives mounts whose targets are there and whose sources are the host’s directories', async () => {
    const { mounts } = await prepareThinRoot(root);
    assert(mounts.some(({ target, readOnly }) => target === '/usr' && readOnly === true));
    for (const { type, target, source, readOnly } of mounts) {
      const place = join(root, target);
      assert(lstatSync(place).isDirectory(), `${target} is a directory, not a link`);
      if (type !== 'nullfs') continue;
      assert.equal(readOnly, true, target);
      assert.equal(source, realpathSync(target));
    }
    const types = Object.fromEntries(mounts.map(({ type, target }) => [target, type]));
    assert.deepEqual([types['/dev'], types['/proc'], types['/tmp']], ['devfs', 'procfs', 'tmpfs']);
    assert.deepEqual(mounts.find(({ target }) => target === '/tmp')?.options, { mode: '1777' });
  });

  it('mounts nothing twice', async () => {
    const { mounts } = await prepareThinRoot(root, { include: ['/usr/bin', '/usr', '/usr/lib/'] });
    const targets = mounts.map(({ target }) => target);
    assert.deepEqual(targets, [...new Set(targets)]);
    assert(!targets.includes('/usr/bin') && !targets.includes('/usr/lib/'));
  });

  it('finds the programs of the host where the host has them', async () => {
    await prepareThinRoot(root);
    const bin = lstatSync('/bin');
    const own = lstatSync(join(root, 'bin'));
    assert.equal(own.isSymbolicLink(), bin.isSymbolicLink());
    if (bin.isSymbolicLink()) assert.equal(readlinkSync(join(root, 'bin')), readlinkSync('/bin'));
  });

  it('copies next to nothing', async () => {
    await prepareThinRoot(root);
    const sizes = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
    assert(
      sizes.reduce((sum, size) => sum + size, 0) < 1_000_000,
      `${sizes.length} files of ${sizes} bytes`,
    );
  });

  it('can be prepared again, keeping what was changed in it', async () => {
    const first = await prepareThinRoot(root);
    writeFileSync(join(root, 'etc/passwd'), 'www:x:80:80::/:/bin/sh\n');
    writeFileSync(join(root, 'etc/ld.so.cache'), 'old');
    writeFileSync(join(root, 'home/note'), 'kept');
    chmodSync(join(root, 'home'), 0o711);
    const second = await prepareThinRoot(root);
    assert.deepEqual(second, first);
    assert.equal(readFileSync(join(root, 'etc/passwd'), 'utf8'), 'www:x:80:80::/:/bin/sh\n');
    assert.equal(readFileSync(join(root, 'home/note'), 'utf8'), 'kept');
    assert.equal(modeOf('home'), '711');
    if (existsSync('/etc/ld.so.cache')) {
      const own = readFileSync(join(root, 'etc/ld.so.cache'));
      assert(own.equals(readFileSync('/etc/ld.so.cache')), 'the list of libraries is up to date');
    }
    assert.deepEqual(
      readdirSync(join(root, 'etc')).filter((name) => name.endsWith('.new')),
      [],
    );
  });

  it('can be prepared by several at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => prepareThinRoot(root)));
    for (const made of all) assert.deepEqual(made, all[0]);
  });

  it('can be completed after it was interrupted', async () => {
    await prepareThinRoot(root);
    rmSync(join(root, 'var'), { recursive: true });
    rmSync(join(root, 'etc/group'));
    await prepareThinRoot(root);
    assert.equal(modeOf('var/tmp'), '1777');
    assert(existsSync(join(root, 'etc/group')));
  });

  it('follows the host when that moves its directories', async () => {
    await prepareThinRoot(root);
    if (!lstatSync('/bin').isSymbolicLink()) {
      rmdirSync(join(root, 'bin'));
      symlinkSync('/nowhere', join(root, 'bin'));
      await prepareThinRoot(root);
      assert(lstatSync(join(root, 'bin')).isDirectory());
      return;
    }
    unlinkSync(join(root, 'bin'));
    mkdirSync(join(root, 'bin'));
    await prepareThinRoot(root);
    assert.equal(readlinkSync(join(root, 'bin')), readlinkSync('/bin'));
  });

  it('never writes through links that a jail has left in it', async () => {
    await prepareThinRoot(root);
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    rmSync(join(root, 'etc'), { recursive: true });
    symlinkSync(outside, join(root, 'etc'));
    await assert.rejects(prepareThinRoot(root), (error) => {
      assert(error instanceof JailSystemError);
      assert.match(error.code, /^(ENOTDIR|ELOOP)$/);
      assert.equal(error.path, join(root, 'etc'));
      return true;
    });
    unlinkSync(join(root, 'etc'));
    mkdirSync(join(root, 'etc'));
    for (const name of ['passwd', 'ld.so.cache']) {
      symlinkSync(join(outside, name), join(root, 'etc', name));
    }
    await prepareThinRoot(root);
    assert.deepEqual(readdirSync(outside), []);
  });

  it('has further directories of the host when asked', async () => {
    const tools = join(folder, 'tools');
    mkdirSync(join(tools, 'bin'), { recursive: true });
    symlinkSync(tools, join(folder, 'link'));
    const include = [join(tools, 'bin'), `${folder}/./tools/`, join(folder, 'link')];
    const { mounts } = await prepareThinRoot(root, { include });
    const own = mounts.filter(({ target }) => target.startsWith(folder));
    assert.deepEqual(
      own.map(({ target, source }) => [target, source]),
      [
        [tools, tools],
        [join(folder, 'link'), tools],
      ],
    );
    for (const { target } of own) assert(lstatSync(join(root, target)).isDirectory());
    // A file system over it would hide what is mounted below /tmp.
    const covers = mounts.some(({ target }) => folder.startsWith(`${target}/`));
    assert.equal(covers, false);
  });

  it('refuses a directory with something else in it', async () => {
    mkdirSync(root);
    writeFileSync(join(root, 'precious'), 'data');
    await assert.rejects(prepareThinRoot(root), (error) => {
      assert(error instanceof JailSystemError);
      assert.deepEqual(
        [error.code, error.step, error.path, error.errno < 0],
        ['ENOTEMPTY', 'root', root, true],
      );
      return true;
    });
    assert.deepEqual(readdirSync(root), ['precious']);
  });

  it('takes a new file system, which has a lost+found', async () => {
    mkdirSync(join(root, 'lost+found'), { recursive: true });
    await prepareThinRoot(root);
  });

  it('refuses a file, and a place below one', async () => {
    writeFileSync(root, '');
    for (const path of [root, join(root, 'below')]) {
      await assert.rejects(prepareThinRoot(path), (error) => {
        assert(error instanceof JailSystemError);
        assert.match(error.code, /^(ENOTDIR|EEXIST)$/);
        assert.equal(error.step, 'root');
        return true;
      });
    }
  });

  it('refuses a missing directory to include, and a file, before anything is made', async () => {
    writeFileSync(join(folder, 'file'), '');
    for (const [name, code] of [
      ['missing', 'ENOENT'],
      ['file', 'ENOTDIR'],
    ] as const) {
      const path = join(folder, name);
      await assert.rejects(prepareThinRoot(root, { include: [path] }), {
        name: 'JailSystemError',
        code,
        step: 'root',
        path,
      });
    }
    assert.equal(existsSync(root), false);
  });

  it('refuses arguments that make no sense', async () => {
    const wrong: unknown[][] = [
      ['relative/path'],
      [''],
      [42],
      [undefined],
      ['/tmp/a\0b'],
      [root, 7],
      [root, { includes: [] }],
      [root, { include: '/opt' }],
      [root, { include: [7] }],
      [root, { include: ['opt'] }],
      [root, { include: ['/'] }],
      [root, { include: ['/etc'] }],
      [root, { include: ['/tmp/../dev/shm'] }],
      [root, { include: [folder] }],
    ];
    for (const args of wrong) {
      await assert.rejects(prepareThinRoot(...(args as [never])), (error) => {
        assert(error instanceof JailError, `${error}`);
        assert.match(error.code, /^ERR_INVALID_ARG_(TYPE|VALUE)$/);
        assert.match(error.message, /^Expected .+ for .+ but received .+ of type .+/);
        return true;
      });
    }
    assert.equal(existsSync(root), false);
  });

  it('closes what it opened', async () => {
    await prepareThinRoot(root);
    const before = system.ownDescriptors().length;
    for (let i = 0; i < 5; i++) await prepareThinRoot(root);
    symlinkSync('/nowhere', join(root, 'var/run2'));
    rmSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc'), '');
    await assert.rejects(prepareThinRoot(root));
    assert.equal(system.ownDescriptors().length, before);
  });
});

describe('an error of a root', () => {
  it('is ELOOP for a link that is not followed, whatever the system calls that', () => {
    const told = (code: string, syscall: string) =>
      rootError(Object.assign(new Error(code), { code, syscall, errno: -31 }), '/x');
    const error = told('EMLINK', 'open');
    assert(error instanceof JailSystemError);
    assert.deepEqual([error.code, error.step, error.path], ['ELOOP', 'root', '/x']);
    assert.equal(Reflect.get(told('EMLINK', 'link'), 'code'), 'EMLINK');
  });
});

describe('the system directories of a host', () => {
  let host: string;

  beforeEach(() => {
    host = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-host-')));
  });
  afterEach(() => rmSync(host, { recursive: true, force: true }));

  const make = (...names: string[]) => {
    for (const name of names) mkdirSync(join(host, name), { recursive: true });
  };

  it('are links on systems that merged them into /usr', async () => {
    make('usr/bin', 'usr/lib', 'usr/lib64');
    symlinkSync('usr/bin', join(host, 'bin'));
    symlinkSync('/usr/bin', join(host, 'sbin'));
    symlinkSync('usr/lib', join(host, 'lib'));
    symlinkSync('usr/lib64', join(host, 'lib64'));
    const { shared, links } = await surveyHost([], true, host);
    assert.deepEqual(shared, [{ target: '/usr', source: join(host, 'usr') }]);
    assert.deepEqual(Object.fromEntries(links), {
      bin: 'usr/bin',
      sbin: '/usr/bin',
      lib: 'usr/lib',
      lib64: 'usr/lib64',
    });
  });

  it('are mounts on systems that did not, and those that are missing are left out', async () => {
    make('usr', 'bin', 'sbin', 'lib', 'etc/ssl/certs', 'etc/alternatives', 'etc/ssl/private');
    const { shared, links } = await surveyHost([], true, host);
    assert.equal(links.size, 0);
    assert.deepEqual(
      shared.map(({ target }) => target),
      ['/usr', '/bin', '/sbin', '/lib', '/etc/alternatives', '/etc/ssl/certs'],
    );
  });

  it('are mounts where a link leads out of what is shared', async () => {
    make('usr', 'System/bin');
    symlinkSync('System/bin', join(host, 'bin'));
    const { shared, links } = await surveyHost([], true, host);
    assert.equal(links.size, 0);
    assert.deepEqual(shared[1], { target: '/bin', source: join(host, 'System/bin') });
  });

  it('are /bin, /sbin, /lib, /libexec and /usr on BSD systems', async () => {
    make('usr', 'bin', 'sbin', 'lib', 'libexec', 'etc/ssl/certs', 'lib64');
    const { shared } = await surveyHost([], false, host);
    assert.deepEqual(
      shared.map(({ target }) => target),
      ['/bin', '/sbin', '/lib', '/libexec', '/usr'],
    );
  });

  it('stay without files that only look like them', async () => {
    make('usr');
    writeFileSync(join(host, 'lib'), '');
    symlinkSync('nowhere', join(host, 'sbin'));
    const { shared, links } = await surveyHost([], true, host);
    assert.deepEqual([shared.length, links.size], [1, 0]);
  });
});
