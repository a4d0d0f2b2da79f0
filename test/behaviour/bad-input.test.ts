import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  findJails,
  Jail,
  JailError,
  JailSystemError,
  setDefaultCapabilities,
  watchJails,
} from 'dragonfly-jail';
import { nextIPv4 } from '../support/addresses.js';
import { isRoot, needRootless } from '../support/environment.js';
import { makeLink, writeFile } from '../support/files.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';

// What a program without types may pass.
type Loose = never;

const wording = /^Expected .+ for .+ but received .+ of type .+/s;

function isArgumentError(error: unknown): boolean {
  assert(error instanceof JailError, `not a JailError: ${error}`);
  assert.match(error.code, /^ERR_INVALID_ARG_(TYPE|VALUE)$/);
  assert.match(error.message, wording);
  return true;
}

function isSystemError(wanted: { code: string; step: string; path?: string }) {
  return (error: unknown): boolean => {
    assert(error instanceof JailSystemError, `not a JailSystemError: ${error}`);
    assert(error instanceof JailError && error instanceof Error);
    const { code, step, path } = error;
    assert.deepEqual({ code, step }, { code: wanted.code, step: wanted.step });
    if (wanted.path !== undefined) assert.equal(path, wanted.path);
    assert(error.errno < 0, `errno is ${error.errno}`);
    assert.match(error.syscall, /^[a-z0-9_]+$/);
    assert(error.message.includes(wanted.code), error.message);
    return true;
  };
}

describe('a jail that cannot be', () => {
  const jails = useJails();
  let snapshot: Snapshot;

  // The first jail of a program loads what stays loaded.
  before(async () => (await jails.create()).stop());
  beforeEach(() => {
    snapshot = new Snapshot(jails.root.outside);
  });
  afterEach(() => snapshot.assertNothingLeft());

  const wrong: [string, object][] = [
    ['a path that is a number', { path: 42 }],
    ['a relative path', { path: 'var/jail' }],
    ['an empty path', { path: '' }],
    ['a path with a NUL', { path: '/tmp/\0' }],
    ['a path with a newline', { path: '/tmp/a\nb' }],
    ['a path of 5000 bytes', { path: `/${'a'.repeat(5000)}` }],
    ['no path', { path: undefined }],
    ['a hostname that is null', { hostname: null }],
    ['an empty hostname', { hostname: '' }],
    ['a hostname with a space', { hostname: 'a b' }],
    ['a hostname with a newline', { hostname: 'a\n2 evil /' }],
    ['a hostname with another control character', { hostname: 'a\x1b[2J' }],
    ['a hostname of 256 bytes', { hostname: 'h'.repeat(256) }],
    ['a hostname of 256 bytes in fewer letters', { hostname: 'ü'.repeat(128) }],
    ['a name with a dash', { name: 'a-b' }],
    ['a name that could be an id', { name: '12' }],
    ['addresses that are no list', { addresses: '10.77.0.1' }],
    ['a malformed IPv4 address', { addresses: ['10.77.0.256'] }],
    ['an IPv4 address with too few parts', { addresses: ['10.77.1'] }],
    ['an address with a prefix', { addresses: ['10.77.0.1/24'] }],
    ['a malformed IPv6 address', { addresses: ['fd77::1::2'] }],
    ['a name for an address', { addresses: ['localhost'] }],
    ['a number for an address', { addresses: [0x0a4d0001] }],
    ['the unspecified address', { addresses: ['0.0.0.0'] }],
    ['the same address twice', { addresses: ['10.77.0.1', '10.77.0.1'] }],
    ['the same address in two spellings', { addresses: ['fd77::1', 'FD77:0::0001'] }],
    ['an unknown capability', { capabilities: { fly: true } }],
    ['a capability that is a string', { capabilities: { rawSockets: 'yes' } }],
    ['an unknown type of mount', { mounts: [{ type: 'ufs', target: '/mnt' }] }],
    ['a mount without a target', { mounts: [{ type: 'tmpfs' }] }],
    ['a relative mount point', { mounts: [{ type: 'tmpfs', target: 'mnt' }] }],
    ['a mount point that climbs', { mounts: [{ type: 'tmpfs', target: '/../mnt' }] }],
    ['a nullfs without a source', { mounts: [{ type: 'nullfs', target: '/mnt' }] }],
    ['a negative limit', { limits: { nofile: -1 } }],
    ['a soft limit above the hard one', { limits: { nofile: { soft: 9, hard: 8 } } }],
    ['an unknown limit', { limits: { files: 3 } }],
    ['persist that is a string', { persist: 'yes' }],
    ['a property that does not exist', { adresses: [] }],
  ];
  for (const [what, about] of wrong) {
    it(`is refused for ${what}`, async () => {
      const spec = { ...jails.spec(), ...about };
      await assert.rejects(Jail.create(spec as Loose), isArgumentError);
      assert.throws(() => Jail.plan(spec as Loose), isArgumentError);
    });
  }

  it('is refused for no specification at all', async () => {
    for (const spec of [undefined, null, 7, 'jail', [], () => {}]) {
      await assert.rejects(Jail.create(spec as Loose), isArgumentError);
      assert.throws(() => Jail.plan(spec as Loose), isArgumentError);
    }
  });

  it('is refused for options that are none', async () => {
    for (const options of [7, 'now', { signal: 'SIGTERM' }]) {
      await assert.rejects(Jail.create(jails.spec(), options as Loose), isArgumentError);
    }
  });

  it('names the missing directory', async () => {
    const path = join(jails.root.outside, 'missing');
    const wanted = isSystemError({ code: 'ENOENT', step: 'root', path });
    await assert.rejects(jails.create({ path }), wanted);
  });

  it('names the file that is no directory', async () => {
    const path = join(jails.root.outside, 'file');
    writeFile(path, '');
    const wanted = isSystemError({ code: 'ENOTDIR', step: 'root', path });
    await assert.rejects(jails.create({ path }), wanted);
  });

  it('names the directory that the caller may not enter', async function () {
    needRootless(this);
    const path = join(jails.root.outside, 'closed', 'inner');
    await mkdir(path, { recursive: true });
    await chmod(join(path, '..'), 0);
    await assert.rejects(jails.create({ path }), isSystemError({ code: 'EACCES', step: 'root' }));
    await chmod(join(path, '..'), 0o700);
  });

  it('names the missing mount point and leaves nothing of the mounts before it', async () => {
    const mounts = [...jails.root.mounts, { type: 'tmpfs' as const, target: '/missing' }];
    const wanted = isSystemError({ code: 'ENOENT', step: 'mount', path: '/missing' });
    await assert.rejects(jails.create({ mounts, addresses: [nextIPv4()] }), wanted);
  });

  it('names the missing source of a mount', async () => {
    const source = join(jails.root.outside, 'missing');
    const mounts = [{ type: 'nullfs' as const, target: '/mnt', source }];
    const wanted = isSystemError({ code: 'ENOENT', step: 'mount' });
    await assert.rejects(jails.create({ mounts }), wanted);
  });

  it('is not made through a mount point that is a symbolic link', async () => {
    const { path, outside } = jails.root;
    makeLink(outside, join(path, 'escape'));
    for (const target of ['/escape', '/escape/below']) {
      await mkdir(join(outside, 'below'), { recursive: true });
      const mounts = [{ type: 'tmpfs' as const, target }];
      await assert.rejects(
        jails.create({ mounts }),
        isSystemError({ code: 'ELOOP', step: 'mount' }),
      );
    }
  });

  it('is not made when the signal was aborted before', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(Jail.create(jails.spec(), { signal }), {
      name: 'AbortError',
      code: 'ABORT_ERR',
    });
  });

  it('is undone when the signal is aborted meanwhile', async () => {
    for (const delay of [0, 1, 2, 4, 8]) {
      const abort = new AbortController();
      const making = Jail.create(jails.spec({ addresses: [nextIPv4()] }), { signal: abort.signal });
      setTimeout(() => abort.abort(), delay);
      const made = await making.then(
        (jail) => jails.keep(jail),
        (error) => assert.equal(error.code, 'ABORT_ERR'),
      );
      await made?.stop();
    }
  });
});

describe('a command that cannot be', () => {
  // Comes before the hook that stops the jails.
  afterEach(async () => {
    await snapshot.assertNothingLeft();
    assert.equal((await jail.exec('echo', ['still'])).stdout, 'still\n');
  });
  const jails = useJails();
  let jail: Jail;
  let snapshot: Snapshot;

  beforeEach(async () => {
    jail = await jails.create();
    // The first command of a program loads what stays loaded.
    await jail.exec('true');
    snapshot = new Snapshot(join(jails.root.outside, 'nothing'));
  });

  const wrong: [string, unknown[]][] = [
    ['a number for a file', [42]],
    ['an empty file', ['']],
    ['a file with a NUL', ['/bin/\0sh']],
    ['arguments that are a string', ['echo', 'hello']],
    ['an argument that is a number', ['echo', [1]]],
    ['an argument with a NUL', ['echo', ['a\0b']]],
    ['options that are a number', ['echo', [], 7]],
    ['a relative cwd', ['echo', [], { cwd: 'tmp' }]],
    ['an env that is a string', ['echo', [], { env: 'A=b' }]],
    ['an env value with a NUL', ['echo', [], { env: { A: 'b\0' } }]],
    ['an env name with an equals sign', ['echo', [], { env: { 'A=b': 'c' } }]],
    ['a negative user', ['echo', [], { user: -1 }]],
    ['a user that is an object', ['echo', [], { user: {} }]],
    ['an unknown word for stdio', ['echo', [], { stdio: 'tube' }]],
    ['a negative descriptor', ['echo', [], { stdio: [-1] }]],
    ['a stream without a descriptor', ['echo', [], { stdio: [new PassThrough()] }]],
    ['a negative timeout', ['echo', [], { timeout: -5 }]],
    ['an unknown signal', ['echo', [], { killSignal: 'SIGNOTHING' }]],
    ['an AbortSignal that is none', ['echo', [], { signal: {} }]],
    ['a terminal of no size', ['echo', [], { pty: { columns: 0, rows: 5 } }]],
    ['an unknown option', ['echo', [], { shell: true }]],
  ];
  for (const [what, args] of wrong) {
    it(`is refused at once for ${what}`, () => {
      assert.throws(() => jail.spawn(...(args as [Loose])), isArgumentError);
    });
    it(`is refused by exec for ${what}`, async () => {
      await assert.rejects(async () => jail.exec(...(args as [Loose])), isArgumentError);
    });
  }

  it('names the missing program', async () => {
    const wanted = isSystemError({ code: 'ENOENT', step: 'exec', path: '/bin/nothing' });
    await assert.rejects(jail.exec('/bin/nothing'), wanted);
    await assert.rejects(
      jail.exec('no-such-program'),
      isSystemError({ code: 'ENOENT', step: 'exec' }),
    );
  });

  it('reports the missing program as an event, as child_process does, and never as started', async () => {
    const command = jail.spawn('/bin/nothing');
    const events: string[] = [];
    for (const name of ['spawn', 'exit'] as const) command.on(name, () => events.push(name));
    const error = await new Promise((done) => command.once('error', done));
    assert(isSystemError({ code: 'ENOENT', step: 'exec' })(error));
    await assert.rejects(command.exited, error as Error);
    assert.equal(command.pid, undefined);
    assert(!events.includes('spawn'));
  });

  it('names the program without an x bit, and the directory', async () => {
    writeFile(join(jails.root.path, 'plain'), '#!/bin/sh\n');
    for (const path of ['/plain', '/etc']) {
      const wanted = isSystemError({ code: 'EACCES', step: 'exec', path });
      await assert.rejects(jail.exec(path), wanted);
    }
  });

  it('names the missing working directory', async () => {
    const wanted = isSystemError({ code: 'ENOENT', step: 'cwd', path: '/missing' });
    await assert.rejects(jail.exec('true', [], { cwd: '/missing' }), wanted);
  });

  it('says that its user or group is unknown', async () => {
    await assert.rejects(jail.exec('true', [], { user: 'nosuchuser' }), (error) => {
      assert(error instanceof JailError);
      assert.equal(error.code, 'ERR_JAIL_UNKNOWN_USER');
      assert(error.message.includes('nosuchuser'), error.message);
      return true;
    });
    await assert.rejects(jail.exec('true', [], { group: 'nosuchgroup' }), (error) => {
      assert(error instanceof JailError);
      assert.equal(error.code, 'ERR_JAIL_UNKNOWN_GROUP');
      return true;
    });
  });

  it('does not know the users of the host', async () => {
    if (!isRoot) return;
    writeFile(join(jails.root.path, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n');
    await assert.rejects(jail.exec('true', [], { user: 'nobody' }), {
      code: 'ERR_JAIL_UNKNOWN_USER',
    });
  });

  it('cannot be another user where there is only one', async function () {
    needRootless(this);
    await assert.rejects(jail.exec('true', [], { user: 12 }), { code: 'ERR_JAIL_UNSUPPORTED' });
  });

  it('is not run with a closed descriptor', async () => {
    const fd = openSync('/dev/null', 'r');
    closeSync(fd);
    const stdio = ['ignore', 'ignore', 'ignore', 1000 + fd] as const;
    const command = jail.spawn('true', [], { stdio });
    const told = new Promise((done) => command.once('error', done));
    const wanted = isSystemError({ code: 'EBADF', step: 'stdio' });
    await assert.rejects(command.exited, wanted);
    assert(wanted(await told));
  });

  it('is not run when its signal was aborted before', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(jail.exec('true', [], { signal }), { name: 'AbortError' });
    const command = jail.spawn('true', [], { signal });
    const error = await new Promise<Error>((done) => command.once('error', done));
    assert.equal(error.name, 'AbortError');
  });

  it('is not run with more arguments than the kernel takes', async () => {
    const tooLong = isSystemError({ code: 'E2BIG', step: 'exec' });
    const args = Array.from({ length: 40 }, () => 'x'.repeat(100_000));
    await assert.rejects(jail.exec('true', args), tooLong);
    await assert.rejects(jail.exec('true', ['x'.repeat(300_000)]), tooLong);
    await assert.rejects(jail.exec('true', [], { env: { X: 'x'.repeat(300_000) } }), tooLong);
  });

  it('does not run in a jail that was stopped', async () => {
    const gone = await jails.create();
    await gone.stop();
    assert.throws(() => gone.spawn('true'), { code: 'ERR_JAIL_STOPPED' });
    assert.throws(() => gone.info(), { code: 'ERR_JAIL_NOT_FOUND' });
  });
});

describe('other calls with arguments that make no sense', () => {
  const jails = useJails();

  it('are refused with a typed error', async () => {
    const jail = await jails.create();
    for (const signal of ['SIGNOTHING', -1, 1.5, null, {}, 999]) {
      assert.throws(() => jail.signal(signal as Loose), isArgumentError);
    }
    for (const change of [null, 7, { fly: true }, { rawSockets: 1 }]) {
      assert.throws(() => jail.setCapabilities(change as Loose), isArgumentError);
      assert.throws(() => setDefaultCapabilities(change as Loose), isArgumentError);
    }
    for (const options of [7, { signal: 'SIGNOTHING' }, { graceMs: -1 }, { command: 'halt' }]) {
      await assert.rejects(async () => jail.stop(options as Loose), isArgumentError);
    }
    for (const where of [undefined, 7, { address: 'nowhere' }, { colour: 'red' }]) {
      assert.throws(() => findJails(where as Loose), isArgumentError);
    }
    for (const options of [7, { intervalMs: -1 }, { signal: 3 }]) {
      assert.throws(() => watchJails(options as Loose), isArgumentError);
    }
  });

  it('do not open a jail that does not exist', async () => {
    await assert.rejects(Jail.open(999_998), { code: 'ERR_JAIL_NOT_FOUND' });
    await assert.rejects(Jail.open(999_999), { code: 'ERR_JAIL_NOT_FOUND' });
    await assert.rejects(Jail.open('no_such_jail'), { code: 'ERR_JAIL_NOT_FOUND' });
    await assert.rejects(Jail.open('no.such/../jail'), { code: 'ERR_JAIL_NOT_FOUND' });
  });

  it('do not open a jail by what is neither id nor name', async () => {
    for (const id of [undefined, null, {}, 1.5, -1, Number.NaN, '', '../1', 'a b']) {
      await assert.rejects(async () => Jail.open(id as Loose), JailError);
    }
  });

  it('do not open a jail by its hostname', async () => {
    await jails.create({ hostname: 'findme' });
    await assert.rejects(Jail.open('findme'), { code: 'ERR_JAIL_NOT_FOUND' });
  });
});
