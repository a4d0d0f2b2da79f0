import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JailError } from 'dragonfly-jail';
import { loadFirst, places, remedy } from '#internal/loader/load.js';
import { hostTuple, tupleOf } from '#internal/loader/tuple.js';

const glibc = Buffer.from('\x7fELF…/lib64/ld-linux-x86-64.so.2\0');
const musl = Buffer.from('\x7fELF…/lib/ld-musl-x86_64.so.1\0');

describe('the native part', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dfjail-loader-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is known by the C library that Node itself was made for', () => {
    assert.equal(tupleOf('Linux', 'x64', glibc), 'linux-x64-glibc');
    assert.equal(tupleOf('Linux', 'arm64', musl), 'linux-arm64-musl');
  });

  it('of DragonFly is never taken for that of FreeBSD, though Node calls both freebsd', () => {
    assert.equal(tupleOf('DragonFly', 'x64', glibc), 'dragonfly-x64');
    assert.equal(tupleOf('FreeBSD', 'x64', glibc), 'freebsd-x64');
  });

  it('has a tuple for this machine', () => {
    assert.match(hostTuple(), new RegExp(`-${process.arch}(-glibc|-musl)?$`));
  });

  it('is taken from where it was compiled, then from the package', () => {
    const found = places('/package', 'linux-x64-musl', {}).map((place) => place.folder);
    assert.deepEqual(found, ['/package/build/Release', '/package/prebuilds/linux-x64-musl']);
  });

  it('is taken from nowhere but where the environment says', () => {
    for (const named of ['/elsewhere', '/elsewhere/jail.node']) {
      const found = places('/package', 'linux-x64-glibc', { DRAGONFLY_JAIL_NATIVE: named });
      assert.deepEqual(
        found.map((place) => place.folder),
        ['/elsewhere'],
      );
    }
  });

  it('is missed with every place, what was wrong there, and what to install', () => {
    writeFileSync(join(folder, 'jail.node'), 'no addon');
    const candidates = [
      { folder: '/nowhere', what: 'first' },
      { folder, what: 'second' },
    ];
    assert.throws(
      () => loadFirst(candidates, 'linux-x64-glibc'),
      (error) => {
        assert(error instanceof JailError);
        assert.equal(error.code, 'ERR_JAIL_NATIVE');
        assert.match(error.message, /for linux-x64-glibc/);
        assert.match(error.message, /\/nowhere \(first\): there is no jail\.node/);
        assert.match(error.message, /\(second\): there is no jail-monitor/);
        assert.match(error.hint ?? '', /install a C\+\+17 compiler/);
        return true;
      },
    );
  });

  it('is not half taken: a monitor that cannot be run, an addon that does not load', () => {
    const candidates = [{ folder, what: 'here' }];
    writeFileSync(join(folder, 'jail.node'), 'no addon');
    writeFileSync(join(folder, 'jail-monitor'), '', { mode: 0o644 });
    assert.throws(() => loadFirst(candidates, 'x'), /jail-monitor is not executable/);
    rmSync(join(folder, 'jail-monitor'));
    writeFileSync(join(folder, 'jail-monitor'), '', { mode: 0o755 });
    assert.throws(() => loadFirst(candidates, 'x'), /\(here\): .*jail\.node/);
    assert.equal(readFileSync(join(folder, 'jail.node'), 'utf8'), 'no addon');
  });

  it('has a remedy for each system', () => {
    assert.match(remedy('Linux'), /apt-get install/);
    assert.match(remedy('DragonFly'), /pkg install/);
    assert.match(remedy('Darwin'), /DragonFly BSD and on Linux/);
  });
});
