import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AtCalls, byAddon, byPath, hasDescriptorPaths } from '#internal/files/at.js';
import { GuardedFolder, openGuarded } from '#internal/files/below.js';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_WRONLY, S_IFMT, S_IFREG } = constants;
const WAYS: Record<string, AtCalls> = { 'by the addon': byAddon };
if (hasDescriptorPaths) WAYS['by paths of descriptors'] = byPath;

for (const [way, calls] of Object.entries(WAYS)) {
  describe(`files where a jail can write, ${way}`, () => {
    let top: string;
    let folder: number;

    beforeEach(() => {
      top = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-careful-')));
      folder = openSync(top, O_RDONLY | O_DIRECTORY);
    });
    afterEach(() => {
      closeSync(folder);
      rmSync(top, { recursive: true });
    });

    it('the calls do what those of paths do, below a directory that has moved', () => {
      mkdirSync(join(top, 'a'));
      const below = calls.open(folder, 'a', O_RDONLY | O_DIRECTORY);
      calls.rename(folder, 'a', folder, 'moved');
      const file = calls.open(below, 'file', O_WRONLY | O_CREAT | O_EXCL, 0o640);
      writeSync(file, 'text');
      closeSync(file);
      calls.mkdir(below, 'folder', 0o700);
      calls.symlink('file', below, 'link');
      calls.link(below, 'file', folder, 'second');
      assert.equal(calls.readlink(below, 'link'), 'file');
      assert.deepEqual(calls.names(below).sort(), ['file', 'folder', 'link']);
      const stats = calls.lstat(below, 'file');
      assert(stats !== null);
      assert.deepEqual([stats.size, stats.nlink, stats.mode & S_IFMT], [4, 2, S_IFREG]);
      assert.equal(calls.lstat(below, 'none'), null);
      calls.unlink(below, 'link');
      calls.rmdir(below, 'folder');
      assert.equal(readFileSync(join(top, 'moved', 'file'), 'utf8'), 'text');
      assert.throws(() => calls.unlink(below, 'link'), { code: 'ENOENT' });
      assert.throws(() => calls.open(below, 'none', O_RDONLY), { code: 'ENOENT', syscall: 'open' });
      closeSync(below);
    });

    it('no link is followed from where a jail can write on, and any before', () => {
      mkdirSync(join(top, 'jail', 'var', 'log'), { recursive: true });
      symlinkSync(join(top, 'jail'), join(top, 'alias'));
      symlinkSync(join(top, 'jail', 'var'), join(top, 'deep'));
      symlinkSync('log', join(top, 'jail', 'var', 'link'));
      const open = (path: string, changeable: string[]) =>
        GuardedFolder.open(join(top, path), changeable, calls);
      const jail = [join(top, 'jail')];
      for (const path of ['jail/var/log', 'alias/var/log', 'deep/log']) {
        const found = open(path, jail);
        assert.equal(found.isChangeable, true, path);
        found.close();
      }
      for (const path of ['jail/var/link', 'alias/var/link', 'deep/link']) {
        assert.throws(() => open(path, jail), { code: 'ELOOP' }, path);
        open(path, []).close();
      }
      assert.throws(() => open('jail/none', jail), { code: 'ENOENT' });
    });

    it('nothing but a file of one name is opened, and nothing is waited for', () => {
      const at = (name: string) => join(top, name);
      const guarded = GuardedFolder.open(top, [top], calls);
      execFileSync('mkfifo', [at('fifo')]);
      writeFileSync(at('file'), '');
      linkSync(at('file'), at('second'));
      symlinkSync('file', at('link'));
      mkdirSync(at('folder'));
      for (const flags of [O_RDONLY, O_WRONLY | O_APPEND | O_CREAT]) {
        assert.throws(() => guarded.openFile('fifo', flags), { code: 'EPERM' });
        assert.throws(() => guarded.openFile('second', flags), { code: 'EPERM' });
        assert.throws(() => guarded.openFile('link', flags), { code: 'ELOOP' });
        assert.throws(() => guarded.openFile('folder', flags), { code: /EPERM|EISDIR/ });
      }
      assert.equal(guarded.rename('none', 'other'), false);
      assert.equal(guarded.remove('none'), false);
      assert.equal(guarded.remove('second'), true);
      closeSync(guarded.openFile('file', O_WRONLY));
      guarded.close();
      closeSync(openGuarded(at('file'), [top], O_RDONLY));
    });
  });
}
