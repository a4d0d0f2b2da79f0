import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  findJails,
  Jail,
  JailSystemError,
  listJails,
  listProcesses,
  recover,
  watchJails,
} from 'dragonfly-jail';
import { isRoot, needRoot, skip, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { Program } from '../support/programs.js';
import { system } from '../support/system/index.js';

// The directory of the registry, in every state that it can be found in.

describe('a registry', () => {
  const jails = useJails();
  let chosen: string | undefined;
  let folder: string;
  let undoes: (() => void)[];

  beforeEach(() => {
    chosen = process.env.DRAGONFLY_JAIL_STATE;
    folder = join(jails.root.outside, 'state');
    undoes = [];
    process.env.DRAGONFLY_JAIL_STATE = folder;
  });
  afterEach(async () => {
    await jails.stopAll(); // they are in this registry
    for (const undo of undoes) undo();
    if (existsSync(folder)) changeModes(0o700);
    rmSync(folder, { recursive: true, force: true });
    if (chosen === undefined) delete process.env.DRAGONFLY_JAIL_STATE;
    else process.env.DRAGONFLY_JAIL_STATE = chosen;
  });

  it('that is missing is empty for whoever asks, and is not made', async () => {
    assert.deepEqual(listJails(), []);
    assert.deepEqual(findJails({ hostname: 'first' }), []);
    await assert.rejects(Jail.open('first'), { code: 'ERR_JAIL_NOT_FOUND' });
    await assert.rejects(Jail.open(1), { code: 'ERR_JAIL_NOT_FOUND' });
    assert(listProcesses().some(({ pid }) => pid === process.pid));
    assert.deepEqual(await recover(), []);
    assert(!existsSync(folder));
  });

  it('that is missing is watched from its first jail on', async () => {
    const events = watchJails({ signal: AbortSignal.timeout(10_000), intervalMs: 5_000 });
    const first = events.next();
    const startedAt = Date.now();
    const jail = await jails.create();
    const { value } = await first;
    assert.equal(value?.jail.jid, jail.jid);
    assert(Date.now() - startedAt < 4_000, 'it was noticed by the interval only');
    await events.return?.();
  });

  it('that is missing is made with the first jail', async () => {
    const jail = await jails.create({ name: 'first' });
    assert.equal((await jail.exec('echo', ['ok'])).stdout, 'ok\n');
    assert.deepEqual(await recover(), []);
  });

  it('whose folders above are missing is made with them', async () => {
    const state = join(folder, 'a', 'b');
    process.env.DRAGONFLY_JAIL_STATE = state;
    assert.deepEqual(listJails(), []);
    const jail = await jails.create({ name: 'deep' });
    assert.equal(listJails()[0]?.jid, jail.jid);
    assert.deepEqual(readdirSync(join(state, 'names')), ['deep']);
    await jail.stop();
  });

  it('that cannot be made is an error that names it, and what to do', async () => {
    const state = join(folder, 'a', 'b');
    process.env.DRAGONFLY_JAIL_STATE = state;
    writeFileSync(folder, 'a file');
    const where = { step: 'register', path: state, hint: /DRAGONFLY_JAIL_STATE/ };
    await assert.rejects(jails.create(), { code: 'ENOTDIR', syscall: 'mkdir', ...where });
    assert.throws(() => listJails(), { code: 'ENOTDIR', syscall: 'open', ...where });
  });

  it('that cannot be written is an error of the step register, and nothing is left', async function () {
    makeRegistry();
    makeReadOnly(this);
    const left = new Snapshot(jails.root.outside);
    await assert.rejects(jails.create(), isOneOf('EROFS', 'EACCES'));
    await left.assertNothingLeft();
  });

  it('that disappears while a jail runs takes nothing from who uses it', async () => {
    const jail = await jails.create();
    rmSync(folder, { recursive: true });
    assert.equal((await jail.exec('echo', ['ok'])).stdout, 'ok\n');
    await jail.stop();
    assert.deepEqual(await recover(), []);
  });

  it('on a disk that is full: create() says so and leaves nothing; with room it works again', async function () {
    needRoot(this);
    mkdirSync(folder);
    undoes.push(system.mountSmall(folder, { kilobytes: 64 }));
    // A jail that was there before can still be used and stopped.
    const jail = await jails.create();
    const left = new Snapshot('/nowhere'); // this jail stays
    for (const room of [0, 4096, 8192]) {
      fill(folder, room);
      for (let i = 0; i < 3; i++) {
        const made = await Jail.create(jails.spec({ name: 'full' })).catch((error) => error);
        if (made instanceof Jail) await made.stop();
        else assert.equal(made.code, 'ENOSPC', String(made));
        await left.assertNothingLeft();
      }
    }
    assert.equal((await jail.exec('echo', ['ok'])).stdout, 'ok\n');
    await jail.stop();
    assert.deepEqual(readdirSync(join(folder, 'jails')), []);
    rmSync(join(folder, 'ballast'));
    const last = await jails.create();
    assert(last.jid > jail.jid, 'jids go on where they were');
  });

  it('on a disk without inodes: the same', async function () {
    needRoot(this);
    mkdirSync(folder);
    undoes.push(system.mountSmall(folder, { files: 6 }));
    const left = new Snapshot(jails.root.outside);
    await assert.rejects(jails.create({ name: 'full' }), isOneOf('ENOSPC'));
    await left.assertNothingLeft();
  });

  it('with an entry of another version: it is neither shown nor touched, and recover() says why', async () => {
    makeRegistry();
    const entry = join(folder, 'jails', '77', 'entry');
    mkdirSync(join(folder, 'jails', '77'));
    writeFileSync(entry, 'version 2\njid 77\nname later\nanchor 1\ncgroup /sys/fs/cgroup\n');
    symlinkSync('77', join(folder, 'names', 'later'));
    assert.deepEqual(listJails(), []);
    await assert.rejects(Jail.open('later'), { code: 'ERR_JAIL_NOT_FOUND' });
    const [{ jid, undone, failed } = assert.fail('recover() says nothing'), ...others] =
      await recover();
    assert.deepEqual({ jid, undone, others }, { jid: 77, undone: [], others: [] });
    assert.equal(failed[0]?.error.code, 'EPROTONOSUPPORT');
    assert.match(readFileSync(entry, 'utf8'), /^version 2\n/);
  });

  const garbage = {
    nothing: '',
    'half an entry': 'version 1\njid 5',
    'another jail’s': 'version 1\njid 6\nname other\n',
    'endless numbers': `version 1\njid ${'9'.repeat(400)}\nanchor ${'9'.repeat(400)}\n`,
    'a megabyte': `version 1\njid 5\npath /${'x'.repeat(1 << 20)}\n`,
    'zero bytes': '\0'.repeat(5000),
  };
  for (const [what, text] of Object.entries(garbage)) {
    it(`with ${what} in a dead jail’s entry: recover() clears it away`, async () => {
      makeRegistry();
      mkdirSync(join(folder, 'jails', '5'));
      writeFileSync(join(folder, 'jails', '5', 'entry'), text);
      assert.deepEqual(listJails(), []);
      const reports = await recover();
      assert.deepEqual(
        reports.flatMap(({ failed }) => failed),
        [],
      );
      assert(!existsSync(join(folder, 'jails', '5')));
    });
  }

  it('with things that are none of ours: they do no harm', async () => {
    makeRegistry();
    writeFileSync(join(folder, 'jails', 'README'), 'not a jail');
    mkdirSync(join(folder, 'jails', '12'));
    mkdirSync(join(folder, 'jails', '12', 'entry'));
    symlinkSync('/etc', join(folder, 'jails', '13'));
    mkdirSync(join(folder, 'names', 'folder'));
    writeFileSync(join(folder, 'next'), 'many');
    const jail = await jails.create({ name: 'folder_not' });
    assert.deepEqual(
      listJails().map(({ jid }) => jid),
      [jail.jid],
    );
    await recover();
    assert(existsSync('/etc/passwd'));
    assert(existsSync(join(folder, 'jails', 'README')));
    await assert.rejects(Jail.open('folder'), { code: 'ERR_JAIL_NOT_FOUND' });
  });

  it('that a container shares: its jails are alive, though their monitors are not to be seen', async function () {
    skipOnDragonfly(this, 'there are no namespaces of processes');
    needRoot(this);
    const source = `
      const jail = await Jail.create(spec);
      say(jail.jid);
      await heard();
      say((await jail.exec('echo', ['alive'])).stdout);
      await jail.stop();`;
    const by = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath];
    await using program = new Program(source, jails.spec({ name: 'container' }), { by });
    const jid = await program.next<number>();
    assert.deepEqual(await recover(), [], 'nobody has died');
    assert.deepEqual(readdirSync(join(folder, 'jails')), [String(jid)]);
    await assert.rejects(jails.create({ name: 'container' }), { code: 'ERR_JAIL_EXISTS' });
    program.tell();
    assert.equal(await program.next(), 'alive\n');
  });

  function makeRegistry(): void {
    for (const name of ['.', 'names', 'jails'])
      mkdirSync(join(folder, name), { mode: 0o755, recursive: true });
  }

  function makeReadOnly(context: Mocha.Context): void {
    if (!isRoot) {
      changeModes(0o500);
      return;
    }
    const programs = ['/bin/mount', '/usr/bin/mount', '/sbin/mount'];
    if (!programs.some((program) => existsSync(program))) skip(context, 'no mount(8)');
    undoes.push(system.mountReadOnly(folder));
  }

  function changeModes(mode: number): void {
    for (const name of ['.', 'names', 'jails']) {
      if (existsSync(join(folder, name))) chmodSync(join(folder, name), mode);
    }
  }
});

describe('the root of a jail on a disk that is full', () => {
  const jails = useJails();

  it('is a jail all the same, whose commands are told', async function () {
    needRoot(this);
    const path = join(jails.root.path, 'tmp');
    const mounts = [
      ...jails.root.mounts.filter(({ target }) => target !== '/tmp'),
      { type: 'tmpfs' as const, target: '/tmp', options: { size: '64k', mode: '1777' } },
    ];
    assert(existsSync(path));
    const jail = await jails.create({ mounts });
    const fill = await jail.exec('sh', ['-c', 'head -c 1000000 /dev/zero > /tmp/x; echo $?']);
    assert.match(String(fill.stderr), /No space left/);
    assert.equal((await jail.exec('echo', ['ok'])).stdout, 'ok\n');
  });
});

function fill(folder: string, room: number): void {
  rmSync(join(folder, 'ballast'), { force: true });
  const ballast: string[] = [];
  try {
    for (;;) {
      ballast.push('x'.repeat(4096));
      writeFileSync(join(folder, 'ballast'), ballast.join(''));
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
  if (room > 0) writeFileSync(join(folder, 'ballast'), ballast.join('').slice(0, -4096 - room));
}

function isOneOf(...codes: string[]) {
  return (error: unknown) => {
    assert(error instanceof JailSystemError, String(error));
    assert(codes.includes(error.code), String(error));
    assert.equal(error.step, 'register');
    return true;
  };
}
