import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  buildServiceRoot,
  inspectRoot,
  ProgramError,
  prepareThinRoot,
} from 'dragonfly-jail/rootfs';
import { JailError, JailSystemError } from '#internal/errors.js';
import { type ElfMade, makeElf } from '../support/elf.js';
import { skip } from '../support/environment.js';
import { HashFile } from '../support/hash-file.js';
import { system } from '../support/system/index.js';

const node = realpathSync(process.execPath);
const isLinux = process.platform === 'linux';

describe('a service root', function () {
  this.timeout(60_000);
  let folder: string;
  let root: string;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-unit-')));
    root = join(folder, 'root');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const inRoot = (path: string) => join(root, path);
  const read = (path: string) => readFileSync(inRoot(path), 'utf8');
  const modeOf = (path: string) => (lstatSync(inRoot(path)).mode & 0o7777).toString(8);

  /** A file of the host, in a folder of the test. */
  function make(path: string, content: string | Uint8Array, mode = 0o755): string {
    const whole = join(folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, content);
    chmodSync(whole, mode);
    return whole;
  }

  function elf(path: string, made: ElfMade): string {
    return make(path, makeElf({ machine: 8, ...made }));
  }

  /** A program of the test's own machine, whose loader is there. */
  function program(path: string, made: ElfMade): string {
    const loader = join(folder, 'lib/ld-linux-test.so.1');
    if (!existsSync(loader)) elf('lib/ld-linux-test.so.1', {});
    return elf(path, { interpreter: loader, ...made });
  }

  /** Everything in the root: what it is, and what is in it. */
  function state(): Record<string, string> {
    const all = existsSync(root) ? readdirSync(root, { recursive: true }).map(String) : [];
    return Object.fromEntries(all.sort().map((name) => [name, stateOf(inRoot(name))]));
  }

  function stateOf(path: string): string {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
    const mode = (stats.mode & 0o7777).toString(8);
    return stats.isFile() ? `${mode} ${readFileSync(path, 'latin1')}` : `${mode} folder`;
  }

  async function refused(code: string, work: Promise<unknown>): Promise<ProgramError> {
    const error = await work.then(
      () => assert.fail('it was built'),
      (failure: unknown) => failure,
    );
    assert(error instanceof ProgramError, `${error}`);
    assert.equal(error.code, code);
    return error;
  }

  it('has what ldd says that its programs need', async function () {
    if (!isLinux) skip(this, 'ldd of Linux');
    const programs = ['/bin/sh', '/bin/ls', '/usr/bin/id', node].filter((path) => existsSync(path));
    const { files, missing } = await buildServiceRoot(root, { programs });
    assert.deepEqual(missing, []);
    const placed = new Set(files.map(({ target }) => target));
    for (const path of programs) {
      const needed = execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
      for (const [, library = ''] of needed) {
        assert(placed.has(realpathSync(library)), `${path} needs ${library}`);
        assert(existsSync(inRoot(library)) || lstatSync(inRoot(library)).isSymbolicLink());
      }
    }
  });

  it('has its programs at their own paths, with the links that lead to them', async () => {
    await buildServiceRoot(root, { programs: ['/bin/sh'] });
    const real = realpathSync('/bin/sh');
    assert(readFileSync(inRoot(real)).equals(readFileSync(real)));
    assert.equal(lstatSync(inRoot('/bin')).isSymbolicLink(), lstatSync('/bin').isSymbolicLink());
    if (lstatSync('/bin/sh').isSymbolicLink()) {
      assert.equal(readlinkSync(join(root, 'usr/bin/sh')), readlinkSync('/bin/sh'));
    }
    assert.equal(modeOf(real), (statSync(real).mode & 0o1777).toString(8));
  });

  it('has accounts, names and folders of its own, and little else', async () => {
    const saved = process.umask(0o077);
    try {
      await buildServiceRoot(root, { programs: [] });
    } finally {
      process.umask(saved);
    }
    assert.match(read('etc/passwd'), /^root:[x*]:0:0:/m);
    assert.match(read('etc/group'), /^nobody:/m);
    assert.match(read('etc/hosts'), /^127\.0\.0\.1 localhost$/m);
    assert.match(read('etc/nsswitch.conf'), /^passwd: files$/m);
    assert.equal(read('etc/resolv.conf'), '');
    assert.deepEqual([modeOf('tmp'), modeOf('root'), modeOf('dev')], ['1777', '700', '755']);
    assert.deepEqual([modeOf('.'), modeOf('etc/passwd')], ['755', '644']);
    assert.deepEqual(await inspectRoot(root), {
      kind: 'empty',
      problems: ['there is no program in it'],
    });
  });

  describe('of programs of DragonFly', () => {
    const namesIn = (database: string) =>
      new HashFile(readFileSync(inRoot(database)))
        .entries()
        .filter(({ key }) => key[0] === 0x41)
        .map(({ key }) => key.toString('latin1', 1))
        .sort();

    function bsdProgram(): string {
      const interpreter = elf('libexec/ld-elf.so.2', {});
      return elf('bin/tool', { interpreter });
    }

    it('has the databases of pwd_mkdb, for its own accounts', async () => {
      const users = [{ name: 'web', uid: 80, comment: 'Größe', shell: '/bin/sh' }];
      const { files } = await buildServiceRoot(root, { programs: [bsdProgram()], users });
      assert.match(read('etc/master.passwd'), /^web:\*:80:80::0:0:Größe:\/:\/bin\/sh$/m);
      for (const database of ['etc/pwd.db', 'etc/spwd.db']) {
        assert.deepEqual(namesIn(database), ['daemon', 'nobody', 'root', 'web']);
        assert(files.some(({ target }) => target === `/${database}`));
      }
      assert.deepEqual([modeOf('etc/pwd.db'), modeOf('etc/spwd.db')], ['644', '600']);
    });

    it('has them for a master.passwd that it is given, and leaves those that it is given', async () => {
      const content = '# mine\nme:$6$salt$hash:7:7:staff:0:0:Me:/:/bin/sh\n';
      const files = [
        { target: '/etc/master.passwd', content, mode: 0o600 },
        { target: '/etc/pwd.db', content: 'mine' },
      ];
      await buildServiceRoot(root, { programs: [bsdProgram()], files });
      assert.deepEqual([namesIn('etc/spwd.db'), read('etc/pwd.db')], [['me'], 'mine']);
      const source = make('accounts', content);
      const named = [{ target: '/etc/master.passwd', source }];
      await buildServiceRoot(root, { programs: [bsdProgram()], files: named });
      assert.deepEqual([namesIn('etc/spwd.db'), namesIn('etc/pwd.db')], [['me'], ['me']]);
      assert(!readFileSync(inRoot('etc/pwd.db')).includes('$6$'), 'no password for everybody');
      assert(readFileSync(inRoot('etc/spwd.db')).includes('$6$'));
    });

    it('is not built with a master.passwd that pwd_mkdb would refuse', async () => {
      const files = [{ target: '/etc/master.passwd', content: 'root:secret:0:0\n' }];
      await assert.rejects(
        buildServiceRoot(root, { programs: [bsdProgram()], files }),
        (error) =>
          error instanceof JailError &&
          error.code === 'ERR_INVALID_ARG_VALUE' &&
          /master\.passwd.*line 1/.test(error.message) &&
          !error.message.includes('secret'),
      );
      assert(!existsSync(root));
    });
  });

  it('has users of the host by name, and new ones', async () => {
    await buildServiceRoot(root, {
      programs: [],
      users: [
        'daemon',
        { name: 'web', uid: 8080, home: '/srv', comment: 'The web', shell: '/bin/sh' },
        { name: 'db', uid: 700, gid: 701, groups: ['web', { name: 'backup', gid: 900 }] },
      ],
    });
    assert.match(read('etc/passwd'), /^web:[x*]:8080:8080:The web:\/srv:\/bin\/sh$/m);
    assert.match(read('etc/passwd'), /^db:[x*]:700:701::\/:.*nologin$/m);
    assert.match(read('etc/group'), /^web:[x*]:8080:db$/m);
    assert.match(read('etc/group'), /^db:[x*]:701:$/m);
    assert.match(read('etc/group'), /^backup:[x*]:900:db$/m);
    for (const line of read('etc/passwd').trim().split('\n'))
      assert.equal(line.split(':').length, 7);
  });

  it('leads the libraries’ own ways: RPATH, RUNPATH, $ORIGIN and who needs them', async () => {
    program('app/bin/tool', { needed: ['liba.so', 'libb.so'], rpath: '$ORIGIN/../lib' });
    // RPATH counts for what libraries need too, unless they say where themselves.
    elf('app/lib/liba.so', { needed: ['libdeep.so'] });
    elf('app/lib/libdeep.so', {});
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how loaders write it
    const braces = '${ORIGIN}';
    elf('app/lib/libb.so', { needed: ['libown.so'], runpath: `${braces}/private` });
    elf('app/lib/private/libown.so', { soname: 'libalias.so', needed: ['libalias.so'] });
    const { files } = await buildServiceRoot(root, { programs: [join(folder, 'app/bin/tool')] });
    const own = files.filter(({ target }) => target.startsWith(join(folder, 'app')));
    const by = Object.fromEntries(own.map(({ source, neededBy }) => [source, neededBy]));
    const named = (path: string) => join(folder, 'app', path);
    assert.deepEqual(Object.keys(by), [
      named('bin/tool'),
      named('lib/liba.so'),
      named('lib/libb.so'),
      named('lib/libdeep.so'),
      named('lib/private/libown.so'),
    ]);
    assert.match(by[named('lib/libdeep.so')] ?? '', /liba\.so$/);
    assert.match(by[named('lib/private/libown.so')] ?? '', /libb\.so$/);
  });

  it('does not take RUNPATH for what libraries need', async () => {
    program('app/tool', { needed: ['liba.so'], runpath: '$ORIGIN' });
    elf('app/liba.so', { needed: ['libdeep.so'] });
    elf('app/libdeep.so', {});
    const tool = join(folder, 'app/tool');
    const error = await refused(
      'ERR_JAIL_MISSING_LIBRARY',
      buildServiceRoot(root, { programs: [tool] }),
    );
    assert.equal(error.missing, 'libdeep.so');
    assert.match(error.file, /app\/liba\.so$/);
    assert(error.message.includes(tool), error.message);
    assert.equal(existsSync(root), false, 'nothing was made');
    const libraryPath = [join(folder, 'app')];
    await buildServiceRoot(root, { programs: [tool], libraryPath });
    assert(existsSync(inRoot(join(folder, 'app/libdeep.so'))));
  });

  it('does not take RPATH for a library that has a RUNPATH', async () => {
    program('app/tool', { needed: ['liba.so'], rpath: '$ORIGIN' });
    elf('app/liba.so', { needed: ['libdeep.so'], runpath: '/no/such/folder' });
    elf('app/libdeep.so', {});
    const programs = [join(folder, 'app/tool')];
    const error = await refused('ERR_JAIL_MISSING_LIBRARY', buildServiceRoot(root, { programs }));
    assert.equal(error.missing, 'libdeep.so');
    assert.equal(error.searched?.[0], '/no/such/folder');
  });

  it('passes over libraries for other machines', async () => {
    program('app/tool', { needed: ['libx.so'], runpath: '$ORIGIN/other:$ORIGIN/wide:$ORIGIN/own' });
    elf('app/other/libx.so', { machine: 40 });
    elf('app/wide/libx.so', { bits: 32 });
    elf('app/own/libx.so', {});
    const { files } = await buildServiceRoot(root, { programs: [join(folder, 'app/tool')] });
    const found = files.filter(({ target }) => target.endsWith('libx.so'));
    assert.deepEqual(
      found.map(({ source }) => source),
      [join(folder, 'app/own/libx.so')],
    );
  });

  it('finds the libraries of musl as that does', async () => {
    const loader = elf('lib/ld-musl-test.so.1', {});
    const one = elf('bin/one', {
      interpreter: loader,
      needed: ['libc.musl-test.so.1', 'libm.so', 'liba.so'],
      runpath: join(folder, 'libs'),
    });
    // Its RUNPATH is good for what liba.so needs too.
    elf('libs/liba.so', { needed: ['libb.so', 'libc.so'] });
    elf('libs/libb.so', {});
    const { files } = await buildServiceRoot(root, { programs: [one] });
    const names = files.map(({ target }) => target).filter((path) => path.startsWith(folder));
    const expected = ['bin/one', 'lib/ld-musl-test.so.1', 'libs/liba.so', 'libs/libb.so'];
    assert.deepEqual(
      names,
      expected.map((path) => join(folder, path)),
    );
  });

  it('brings the interpreters of scripts, and of scripts that run scripts', async () => {
    const inner = make('bin/inner', '#!/bin/sh\n');
    const outer = make('bin/outer', `#!${inner} -x\n`);
    const viaEnv = make('bin/env', '#!/usr/bin/env -S sh -e\n');
    const { files } = await buildServiceRoot(root, { programs: [outer, viaEnv] });
    const placed = files.map(({ target }) => target);
    for (const path of [outer, inner, '/bin/sh', '/usr/bin/env']) {
      assert(placed.includes(realpathSync(path)), path);
    }
    const lost = make('bin/lost', '#!/no/such/shell\n');
    const error = await refused(
      'ERR_JAIL_MISSING_INTERPRETER',
      buildServiceRoot(root, { programs: [lost] }),
    );
    assert.deepEqual([error.file, error.missing], [lost, '/no/such/shell']);
    const unknown = make('bin/unknown', '#!/usr/bin/env no-such-program-1\n');
    const other = await refused(
      'ERR_JAIL_MISSING_INTERPRETER',
      buildServiceRoot(root, { programs: [unknown] }),
    );
    assert.deepEqual(
      [other.missing, (other.searched?.length ?? 0) > 3],
      ['no-such-program-1', true],
    );
    const circle = make('bin/circle', `#!${join(folder, 'bin/circle')}\n`);
    await refused('ERR_JAIL_BAD_PROGRAM', buildServiceRoot(root, { programs: [circle] }));
  });

  it('needs nothing for static programs', async () => {
    const one = elf('bin/static', { type: 2 });
    const { files } = await buildServiceRoot(root, { programs: [one] });
    const brought = files.filter(({ source }) => source !== null).map(({ target }) => target);
    assert.deepEqual(brought, [one]);
    assert.deepEqual(await inspectRoot(root), { kind: 'service', problems: [] });
  });

  it('refuses what is no program, before anything is made', async () => {
    const wrong: [string, string][] = [
      ['ERR_JAIL_BAD_PROGRAM', make('bin/text', 'hello')],
      ['ERR_JAIL_BAD_PROGRAM', make('bin/empty', '')],
      ['ERR_JAIL_BAD_PROGRAM', make('bin/plain', makeElf({}), 0o644)],
      ['ERR_JAIL_BAD_PROGRAM', make('bin/cut', makeElf({ needed: ['a'] }).subarray(0, 100))],
      ['ERR_JAIL_BAD_PROGRAM', join(folder, 'bin')],
      ['ERR_JAIL_MISSING_INTERPRETER', elf('bin/foreign', { interpreter: '/no/ld.so' })],
    ];
    for (const [code, path] of wrong) {
      const programs = [path];
      const error = await refused(code, buildServiceRoot(join(folder, 'deep/root'), { programs }));
      assert.equal(error.file, path);
      assert.equal(existsSync(join(folder, 'deep')), false, path);
    }
    const programs = [join(folder, 'missing')];
    await assert.rejects(buildServiceRoot(root, { programs }), {
      code: 'ENOENT',
      step: 'root',
      path: programs[0],
    });
    assert.equal(existsSync(root), false);
  });

  it('has files, directories and texts where they are asked for', async () => {
    make('data/a/one', '1', 0o640);
    make('data/two', '2', 0o4755);
    symlinkSync('a/one', join(folder, 'data/link'));
    symlinkSync('/nowhere', join(folder, 'data/dangling'));
    const data = join(folder, 'data');
    await buildServiceRoot(root, {
      programs: [],
      files: [
        data,
        { source: data, target: '/srv/data' },
        { source: join(data, 'two'), target: '/bin/two', mode: 0o4711 },
        { target: '/etc/resolv.conf', content: 'nameserver 192.0.2.1\n' },
        { target: '/etc/key', content: Buffer.from([1, 2]), mode: 0o600, user: 0, group: 0 },
      ].slice(0, process.getuid?.() === 0 ? 5 : 4),
      directories: ['/var/lib/app', { path: '/var/spool/app', mode: 0o1770 }],
    });
    for (const base of [data, '/srv/data']) {
      assert.equal(read(join(base, 'a/one')), '1');
      assert.equal(modeOf(join(base, 'a/one')), '640');
      assert.equal(modeOf(join(base, 'two')), '755', 'without its set-user-id bit');
      assert.equal(readlinkSync(inRoot(join(base, 'link'))), 'a/one');
      assert.equal(readlinkSync(inRoot(join(base, 'dangling'))), '/nowhere');
    }
    assert.equal(modeOf('bin/two'), '4711');
    assert.equal(read('etc/resolv.conf'), 'nameserver 192.0.2.1\n');
    assert.equal(modeOf('var/spool/app'), '1770');
  });

  it('brings the libraries of files, and says which are missing in directories', async () => {
    elf('plug/good.so', { needed: ['libneeded.so'], runpath: '$ORIGIN' });
    elf('plug/libneeded.so', {});
    const bad = elf('plug/all/bad.so', { needed: ['libgone.so'] });
    make('plug/all/broken.so', '\x7fELF and so on');
    await refused(
      'ERR_JAIL_MISSING_LIBRARY',
      buildServiceRoot(root, { programs: [], files: [bad] }),
    );
    const { missing, files } = await buildServiceRoot(root, {
      programs: [],
      files: [join(folder, 'plug/good.so'), join(folder, 'plug/all')],
    });
    assert.deepEqual(
      missing.map(({ library, neededBy }) => [library, neededBy]),
      [['libgone.so', [bad]]],
    );
    const names = files.map(({ target }) => target);
    assert(names.includes(join(folder, 'plug/libneeded.so')));
    assert(names.includes(join(folder, 'plug/all/broken.so')), 'as data');
  });

  it('keeps libraries beside a file that is put somewhere else', async () => {
    elf('plug/mod.so', { needed: ['libnear.so'], runpath: '$ORIGIN/near' });
    elf('plug/near/libnear.so', {});
    const source = join(folder, 'plug/mod.so');
    await buildServiceRoot(root, { programs: [], files: [{ source, target: '/opt/m/mod.so' }] });
    assert(existsSync(inRoot('/opt/m/near/libnear.so')));
  });

  it('copies, or makes hard links where that is asked for', async () => {
    const one = elf('bin/static', { type: 2 });
    const secret = make('bin/set-id', makeElf({}), 0o4755);
    await buildServiceRoot(root, { programs: [one, secret] });
    assert.notEqual(statSync(inRoot(one)).ino, statSync(one).ino);
    await buildServiceRoot(root, { programs: [one, secret], method: 'link' });
    assert.equal(statSync(inRoot(one)).ino, statSync(one).ino);
    assert.notEqual(statSync(inRoot(secret)).ino, statSync(secret).ino);
    assert.equal(statSync(secret).mode & 0o7777, 0o4755, 'the host’s own is as it was');
    assert.equal(modeOf(secret), '755');
    // Copied again, the host's file must not have been written to.
    await buildServiceRoot(root, { programs: [one] });
    assert.equal(statSync(one).nlink, 1);
  });

  it('is brought up to date by a second build, which leaves what it did not make', async () => {
    const [one, two] = [elf('bin/one', { type: 2 }), elf('bin/two', { type: 2 })];
    const files = [{ target: '/etc/app.conf', content: 'first' }];
    await buildServiceRoot(root, { programs: [one, two], files, directories: ['/var/lib/app'] });
    writeFileSync(inRoot('var/lib/app/data'), 'precious');
    chmodSync(inRoot('var/lib/app'), 0o700);
    writeFileSync(inRoot('etc/passwd'), 'changed:x:1:1::/:/bin/sh\n');
    const changed = [{ target: '/etc/app.conf', content: 'second' }];
    await buildServiceRoot(root, {
      programs: [one],
      files: changed,
      directories: ['/var/lib/app'],
    });
    assert.equal(read('etc/app.conf'), 'second');
    assert.match(read('etc/passwd'), /^root:/, 'what the build makes is as the build makes it');
    assert.equal(read('var/lib/app/data'), 'precious');
    assert.equal(modeOf('var/lib/app'), '700');
    assert.equal(existsSync(inRoot(two)), false, 'no longer asked for');
    assert.deepEqual(
      readdirSync(root).filter((name) => /^\.dragonfly-jail\./.test(name)),
      [],
    );
    const before = state();
    await buildServiceRoot(root, {
      programs: [one],
      files: changed,
      directories: ['/var/lib/app'],
    });
    assert.deepEqual(state(), before, 'the same again changes nothing');
    await buildServiceRoot(root, { programs: [] });
    assert.equal(read('var/lib/app/data'), 'precious');
    assert.equal(existsSync(inRoot(dirname(one))), false, 'empty folders go too');
  });

  it('can be built by several at once', async () => {
    const one = elf('bin/one', { type: 2 });
    await Promise.all(Array.from({ length: 4 }, () => buildServiceRoot(root, { programs: [one] })));
    assert.deepEqual(await inspectRoot(root), { kind: 'service', problems: [] });
  });

  it('is as it was when a build fails half-way', async () => {
    const one = elf('bin/one', { type: 2 });
    const two = elf('bin/two', { type: 2 });
    await buildServiceRoot(root, { programs: [one] });
    // A directory that the build did not make stands where the last file is to be.
    mkdirSync(inRoot('zzz/file'), { recursive: true });
    const before = state();
    const files = [
      { target: '/etc/new', content: 'new' },
      { target: '/zzz/file', content: '' },
    ];
    await assert.rejects(buildServiceRoot(root, { programs: [two], files }), {
      code: 'EISDIR',
      step: 'root',
      path: inRoot('zzz/file'),
    });
    assert.deepEqual(state(), before);
    const unreadable = { source: join(folder, 'gone'), target: '/gone' };
    await assert.rejects(buildServiceRoot(root, { programs: [two], files: [unreadable] }));
    assert.deepEqual(state(), before);
  });

  it('continues where a killed build has left off', async () => {
    const one = elf('bin/one', { type: 2 });
    await buildServiceRoot(root, { programs: [one] });
    // Pids end at 4194304.
    const left = inRoot('.dragonfly-jail.99999999.0123456789abcdef');
    mkdirSync(left);
    writeFileSync(join(left, '0'), 'half a file');
    unlinkSync(inRoot('etc/hosts'));
    await buildServiceRoot(root, { programs: [one] });
    assert(!existsSync(left) && existsSync(inRoot('etc/hosts')));
    rmSync(root, { recursive: true });
    mkdirSync(left, { recursive: true });
    await buildServiceRoot(root, { programs: [one] });
  });

  it('never leaves the root by links that a jail has left in it', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'hosts'), 'precious');
    await buildServiceRoot(root, { programs: [] });
    unlinkSync(inRoot('etc/hosts'));
    symlinkSync(join(outside, 'hosts'), inRoot('etc/hosts'));
    await buildServiceRoot(root, { programs: [] });
    assert.equal(readFileSync(join(outside, 'hosts'), 'utf8'), 'precious');
    assert(lstatSync(inRoot('etc/hosts')).isFile());
    rmSync(inRoot('etc'), { recursive: true });
    symlinkSync(outside, inRoot('etc'));
    await assert.rejects(buildServiceRoot(root, { programs: [] }), (error) => {
      assert(error instanceof JailSystemError);
      assert.match(error.code, /^(ENOTDIR|ELOOP)$/);
      return true;
    });
    assert.deepEqual(readdirSync(outside), ['hosts']);
    unlinkSync(inRoot('etc'));
    // A marker that was forged names files elsewhere.
    const lines = ['/../outside/hosts', '/etc/../../outside/hosts'].map((path) => `f "${path}"`);
    writeFileSync(inRoot('.dragonfly-jail'), `service root, version 1\n${lines.join('\n')}\nf 7\n`);
    symlinkSync(outside, inRoot('out'));
    writeFileSync(inRoot('.dragonfly-jail'), `${read('.dragonfly-jail')}f "/out/hosts"\n`);
    await buildServiceRoot(root, { programs: [] });
    assert.equal(readFileSync(join(outside, 'hosts'), 'utf8'), 'precious');
  });

  it('is made in no directory of another kind', async () => {
    mkdirSync(root);
    writeFileSync(inRoot('precious'), 'data');
    await assert.rejects(buildServiceRoot(root, { programs: [] }), { code: 'ENOTEMPTY' });
    assert.deepEqual(readdirSync(root), ['precious']);
    unlinkSync(inRoot('precious'));
    await prepareThinRoot(root);
    await assert.rejects(buildServiceRoot(root, { programs: [] }), { code: 'ENOTEMPTY' });
    const other = join(folder, 'other');
    await buildServiceRoot(other, { programs: [] });
    await assert.rejects(prepareThinRoot(other), { code: 'ENOTEMPTY' });
    const file = make('file', '');
    await assert.rejects(buildServiceRoot(file, { programs: [] }), { name: 'JailSystemError' });
  });

  it('refuses arguments that make no sense', async () => {
    const wrong: unknown[][] = [
      ['relative', { programs: [] }],
      [42, { programs: [] }],
      [root],
      [root, {}],
      [root, { programs: '/bin/sh' }],
      [root, { programs: ['sh'] }],
      [root, { programs: [7] }],
      [root, { programs: ['/'] }],
      [root, { programs: [], file: [] }],
      [root, { programs: [], method: 'move' }],
      [root, { programs: [], files: ['/'] }],
      [root, { programs: [], files: ['/proc/self'] }],
      [root, { programs: [], files: ['/dev/null'] }],
      [root, { programs: [], files: [folder] }],
      [root, { programs: [], files: [{}] }],
      [root, { programs: [], files: [{ content: 'x' }] }],
      [root, { programs: [], files: [{ content: 'x', source: '/etc/hosts', target: '/x' }] }],
      [root, { programs: [], files: [{ content: 7, target: '/x' }] }],
      [root, { programs: [], files: [{ content: '', target: '/' }] }],
      [root, { programs: [], files: [{ content: '', target: '/.dragonfly-jail' }] }],
      [root, { programs: [], files: [{ content: '', target: '/etc' }] }],
      [root, { programs: [], files: [{ content: '', target: '/etc/passwd/x' }] }],
      [root, { programs: [], files: [{ content: '', target: '/x', mode: 0o10000 }] }],
      [root, { programs: [], files: [{ content: '', target: '/x', user: 'nobody-here' }] }],
      [root, { programs: [], directories: [{}] }],
      [root, { programs: [], users: ['no-such-user-of-this-host'] }],
      [root, { programs: [], users: ['a:b'] }],
      [root, { programs: [], users: [{ name: 'a' }] }],
      [root, { programs: [], users: [{ name: 'a', uid: -1 }] }],
      [root, { programs: [], users: [{ name: 'a', uid: 1, home: '/a:b' }] }],
      [root, { programs: [], users: [{ name: 'a', uid: 1, comment: 'a\nb' }] }],
      [root, { programs: [], users: [{ name: 'a', uid: 1, groups: ['no-such-group-1'] }] }],
      [
        root,
        {
          programs: [],
          users: [
            { name: 'a', uid: 1 },
            { name: 'a', uid: 2 },
          ],
        },
      ],
    ];
    for (const args of wrong) {
      await assert.rejects(buildServiceRoot(...(args as [never, never])), (error) => {
        assert(error instanceof JailError, `${JSON.stringify(args)}: ${error}`);
        assert.match(error.code, /^ERR_INVALID_ARG_(TYPE|VALUE)$/, error.message);
        assert.match(error.message, /^Expected .+ for .+ but received .+ of type .+/);
        return true;
      });
      assert.equal(existsSync(root), false, JSON.stringify(args));
    }
  });

  it('closes what it opened', async () => {
    const options = { programs: ['/bin/sh'] };
    await buildServiceRoot(root, options);
    const before = system.ownDescriptors().length;
    await buildServiceRoot(root, options);
    await inspectRoot(root);
    await assert.rejects(buildServiceRoot(root, { programs: ['/bin/sh', '/missing'] }));
    linkSync(inRoot('etc/hosts'), inRoot('etc/again'));
    assert.equal(system.ownDescriptors().length, before);
  });
});

describe('looking at a root', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-unit-')));
    chmodSync(root, 0o755);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function make(path: string, content: string | Uint8Array = '', mode = 0o644): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), mode);
  }

  function completeDragonFly(): void {
    make(
      'bin/sh',
      makeElf({ interpreter: '/usr/libexec/ld-elf.so.2', needed: ['libc.so.8'] }),
      0o555,
    );
    make('usr/libexec/ld-elf.so.2', makeElf({}), 0o555);
    make('lib/libc.so.8', makeElf({}));
    make('etc/passwd', 'root:*:0:0::/root:/bin/sh\n');
    for (const name of ['rc', 'rc.shutdown', 'pwd.db', 'spwd.db']) make(`etc/${name}`);
    for (const name of ['dev', 'tmp', 'boot']) mkdirSync(join(root, name));
    chmodSync(join(root, 'tmp'), 0o1777);
    symlinkSync('../dev/null', join(root, 'boot/kernel'));
  }

  it('finds a complete one, and nothing to complain about', async () => {
    completeDragonFly();
    assert.deepEqual(await inspectRoot(root), { kind: 'complete', problems: [] });
  });

  it('says what a complete one lacks', async () => {
    const lacks: [() => void, RegExp][] = [
      [() => rmSync(join(root, 'etc/rc.shutdown')), /no \/etc\/rc\.shutdown/],
      [() => rmSync(join(root, 'etc/pwd.db')), /no \/etc\/pwd\.db.*pwd_mkdb/],
      [() => rmSync(join(root, 'boot/kernel')), /boot\/kernel/],
      [() => rmSync(join(root, 'lib/libc.so.8')), /\/bin\/sh needs libc\.so\.8/],
      [() => rmSync(join(root, 'dev'), { recursive: true }), /no directory \/dev/],
      [() => chmodSync(join(root, 'tmp'), 0o755), /\/tmp is not for everybody/],
      [() => chmodSync(root, 0o700), /only its owner may enter/],
      [() => chmodSync(join(root, 'etc'), 0o777), /everybody in the jail may write to \/etc/],
      [() => make('etc/passwd', 'toor:*:1:0::/:/bin/sh\n'), /no root in \/etc\/passwd/],
    ];
    for (const [damage, problem] of lacks) {
      completeDragonFly();
      damage();
      const { kind, problems } = await inspectRoot(root);
      assert.equal(kind, 'complete');
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', problem);
      chmodSync(root, 0o755);
      rmSync(root, { recursive: true });
      mkdirSync(root, { mode: 0o755 });
    }
  });

  it('says what the programs of a service root lack, and who needs it', async () => {
    make('opt/server', makeElf({ needed: ['libgone.so.1'] }), 0o755);
    make('opt/script', '#!/bin/gone\n', 0o755);
    make('opt/broken', makeElf({ needed: ['a'] }).subarray(0, 80), 0o755);
    make('opt/data', makeElf({ needed: ['libnever.so'] }), 0o644);
    const { kind, problems } = await inspectRoot(root);
    assert.equal(kind, 'service');
    assert.deepEqual(problems.map((problem) => problem.replace(/, .*|has .*/, '')).sort(), [
      '/opt/broken ',
      '/opt/script is run by /bin/gone',
      '/opt/server needs libgone.so.1',
    ]);
  });

  it('follows links within the root alone', async () => {
    // On the host /bin/sh is there; in the root the link leads to nothing.
    mkdirSync(join(root, 'bin'));
    symlinkSync('/usr/bin/env', join(root, 'bin/sh'));
    symlinkSync('../../../../../../../../etc', join(root, 'etc'));
    assert.equal((await inspectRoot(root)).kind, 'empty');
    symlinkSync('.', join(root, 'circle'));
    symlinkSync('loop', join(root, 'loop'));
    assert.equal((await inspectRoot(root)).kind, 'empty');
  });

  it('opens nothing that could stop it', async () => {
    execFileSync('mkfifo', ['-m', '777', join(root, 'pipe')]);
    assert.equal((await inspectRoot(root)).kind, 'empty');
  });

  it('refuses what is no directory', async () => {
    make('file');
    await assert.rejects(inspectRoot(join(root, 'file')), { code: 'ENOTDIR', step: 'root' });
    await assert.rejects(inspectRoot(join(root, 'gone')), { code: 'ENOENT', step: 'root' });
    await assert.rejects(inspectRoot('relative'), { code: 'ERR_INVALID_ARG_VALUE' });
  });
});
