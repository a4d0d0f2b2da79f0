import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Jail, listJails } from 'dragonfly-jail';
import {
  jailStatus,
  loadRcConf,
  type RcJail,
  restartJail,
  startAll,
  startJail,
  stopAll,
  stopJail,
} from 'dragonfly-jail/rc';
import {
  needRoot,
  nodePath,
  onDragonfly,
  onlyInThisProgram,
  patience,
  rcUrl,
} from '../support/environment.js';
import { makeDirectory, makeLink, namesIn, writeFile } from '../support/files.js';
import { Snapshot } from '../support/leaks.js';
import { makeRoot, type TestRoot } from '../support/roots.js';

const TEST_TIMEOUT = patience(30_000);
const SLEEPER = "/bin/sh -c 'sleep 1000 &'";

describe('a jail of rc.conf that is started', function () {
  this.timeout(TEST_TIMEOUT);
  let root: TestRoot;
  let options: { stateDirectory: string; logDirectory: string; graceMs: number };
  let earlier: Snapshot;

  beforeEach(async () => {
    root = await makeRoot('root', { ownDevices: true });
    const folder = (name: string) => {
      mkdirSync(join(root.outside, name));
      return join(root.outside, name);
    };
    options = { stateDirectory: folder('run'), logDirectory: folder('log'), graceMs: 200 };
    earlier = new Snapshot(root.outside);
  });
  afterEach(async () => {
    for (const { path, jid } of listJails()) {
      if (path === root.path) await (await Jail.open(jid)).stop({ graceMs: 0 });
    }
    await earlier.assertNothingLeft();
    await root.remove();
  });

  /** A jail in the test's root; the mounts are those that the host's programs need. */
  function conf(variables: Readonly<Record<string, string>>, names = 'www') {
    const mounts = root.mounts
      .filter(({ type }) => type === 'nullfs')
      .map(({ source, target }) => `${source}:${target}:ro`);
    const own = names.split(' ').map(
      (name, at) => `jail_${name}_rootdir="${root.path}"
jail_${name}_hostname=${name}.test
jail_${name}_ip="198.51.100.${31 + at},2001:db8:31::${31 + at}"
`,
    );
    const rest = Object.entries(variables).map(([name, value]) => `jail_${name}="${value}"\n`);
    return loadRcConf({
      text: `jail_enable=YES
jail_list="${names}"
jail_devfs_enable=YES
jail_procfs_enable=YES
jail_mounts="${mounts.join(' ')}"
jail_exec_start="${SLEEPER}"
${own.join('')}${rest.join('')}`,
    });
  }

  function jail(variables: Readonly<Record<string, string>> = {}): RcJail {
    const found = conf(variables).jails.get('www');
    assert.ok(found);
    return found;
  }

  const idFile = () => join(options.stateDirectory, 'jail_www.id');
  const consoleLog = () => join(options.logDirectory, 'jail_www_console.log');
  const logText = () => readFileSync(consoleLog(), 'utf8');
  const running = () => listJails().filter(({ path }) => path === root.path);

  it('runs, with its id in the file that rc.d/jail knows, until it is stopped', async () => {
    const status = await startJail(jail(), options);
    const [info, ...others] = running();
    assert.deepEqual(others, []);
    assert.deepEqual(status, {
      name: 'www',
      state: 'running',
      jid: info?.jid,
      hostname: 'www.test',
      path: root.path,
      idFile: idFile(),
      consoleLog: consoleLog(),
      changed: true,
    });
    assert.equal(readFileSync(idFile(), 'latin1'), `${info?.jid}\n`);
    assert.deepEqual(
      info?.addresses.map(({ address }) => address),
      ['198.51.100.31', '2001:db8:31::31'],
    );
    assert.equal(statSync(consoleLog()).mode & 0o777, 0o600);
    const stopped = await stopJail(jail(), options);
    assert.deepEqual([stopped.state, stopped.jid, stopped.changed], ['stopped', null, true]);
    assert.deepEqual(running(), []);
    assert.deepEqual(readdirSync(options.stateDirectory), []);
  });

  it('has run its exec_start to the end, with its output in the console log', async () => {
    const start = "/bin/sh -c 'echo one; echo two >&2; sleep 1000 &'";
    await startJail(jail({ www_exec_start: start }), options);
    await stopJail(jail(), options);
    assert.equal(logText(), 'one\ntwo\n');
  });

  it('is as it is when it is started again, and jailStatus() tells of it', async () => {
    assert.equal(jailStatus(jail(), options).state, 'stopped');
    const first = await startJail(jail(), options);
    const again = await startJail(jail({ www_exec_start: '/bin/false' }), options);
    assert.deepEqual(again, { ...first, changed: false });
    assert.deepEqual(jailStatus(jail(), options), again);
    await stopJail(jail(), options);
    assert.equal((await stopJail(jail(), options)).changed, false);
  });

  it('is started and stopped once when that is asked for several times at once', async () => {
    const started = await Promise.all([1, 2, 3].map(() => startJail(jail(), options)));
    assert.deepEqual(
      started.map(({ changed }) => changed),
      [true, false, false],
    );
    const stopped = await Promise.all([1, 2, 3].map(() => stopJail(jail(), options)));
    assert.deepEqual(
      stopped.map(({ changed }) => changed),
      [true, false, false],
    );
  });

  it('is stopped by its own program first, and then by signals', async () => {
    const about = { www_exec_stop: "/bin/sh -c 'echo stopping >&2'" };
    await startJail(jail(about), options);
    await stopJail(jail(about), options);
    assert.equal(logText(), 'stopping\n');
  });

  it('is stopped although its own program hangs', async () => {
    const about = { www_exec_stop: '/bin/sleep 1000', www_exec_stop_timeout: '1' };
    await startJail(jail(about), options);
    const warnings = await warningsOf(async () => {
      await stopJail(jail(about), options);
    });
    assert.match(String(warnings[0]), /exec_stop of jail www was ended by SIGKILL/);
    assert.deepEqual(running(), []);
  });

  it('is nothing when exec_start fails: all is taken back, and the log says why', async () => {
    const about = { www_exec_start: "/bin/sh -c 'echo no database >&2; exit 3'" };
    await assert.rejects(startJail(jail(about), options), {
      code: 'ERR_JAIL_RC',
      message: /exec_start ended with exit status 3/,
      hint: new RegExp(consoleLog()),
    });
    assert.equal(logText(), 'no database\n');
    assert.deepEqual(running(), []);
    assert.deepEqual(readdirSync(options.stateDirectory), []);
    await assert.rejects(startJail(jail({ www_exec_start: '/no/program' }), options), {
      code: 'ENOENT',
    });
    assert.deepEqual(running(), []);
  });

  it('is nothing when its start is aborted', async () => {
    const signal = AbortSignal.timeout(300);
    const about = { www_exec_start: '/bin/sleep 1000' };
    await assert.rejects(startJail(jail(about), { ...options, signal }), { code: 'ABORT_ERR' });
    assert.deepEqual(running(), []);
    assert.deepEqual(readdirSync(options.stateDirectory), []);
  });

  it('is started again after it has ended by itself, or its id is another jail’s by now', async () => {
    writeFileSync(idFile(), '999998\n');
    assert.deepEqual(stateAndJid(), ['stale', 999_998]);
    const other = await Jail.create({ path: root.path, hostname: 'other', mounts: root.mounts });
    writeFileSync(idFile(), `${other.jid}\n`);
    assert.deepEqual(stateAndJid(), ['stale', other.jid]);
    const { jid, changed } = await startJail(jail(), options);
    assert.ok(changed && jid !== other.jid);
    await stopJail(jail(), options);
    assert.equal(other.info().state, 'empty');
    writeFileSync(idFile(), `${other.jid}\n`);
    assert.equal((await stopJail(jail(), options)).changed, false);
    assert.ok(!existsSync(idFile()));
    assert.equal(other.info().hostname, 'other');
    await other.stop();

    function stateAndJid() {
      const { state, jid } = jailStatus(jail(), options);
      return [state, jid];
    }
  });

  it('is a new jail after restartJail()', async () => {
    const first = await startJail(jail(), options);
    const second = await restartJail(jail(), options);
    assert.notEqual(first.jid, second.jid);
    assert.deepEqual(
      running().map(({ jid }) => jid),
      [second.jid],
    );
    await stopJail(jail(), options);
    assert.equal((await restartJail(jail(), options)).state, 'running');
    await stopJail(jail(), options);
  });

  it('is found and stopped after its id file was lost', async () => {
    await startJail(jail(), options);
    rmSync(idFile());
    assert.equal(jailStatus(jail(), options).state, 'running');
    assert.equal((await stopJail(jail(), options)).changed, true);
    assert.deepEqual(running(), []);
  });

  it('has the mounts of its fstab, and they are gone with it', async () => {
    const shown = join(root.outside, 'shown');
    makeDirectory(shown);
    writeFile(join(shown, 'file'), 'of the host\n');
    makeDirectory(join(root.path, 'data'));
    makeDirectory(join(root.path, 'scratch'));
    const fstab = join(root.outside, 'fstab.www');
    writeFileSync(
      fstab,
      `# what www sees
${shown} ${root.path}/data null ro 0 0
tmpfs ${root.path}/scratch tmpfs rw,size=1m 0 0
${shown} ${root.path}/nowhere null rw,noauto 0 0
`,
    );
    const script = 'cat /data/file; touch /data/x || echo read-only; touch /scratch/x; ls /scratch';
    const about = {
      www_mount_enable: 'YES',
      www_fstab: fstab,
      www_exec_start: `/bin/sh -c '${script}'`,
    };
    await startJail(jail(about), options);
    assert.match(logText(), /^of the host\n(touch.*\n)?read-only\nx\n$/);
    await stopJail(jail(about), options);
    assert.deepEqual(namesIn(join(root.path, 'data')), []);
  });

  it('is refused with an fstab that leads out of it, with file and line', async () => {
    const fstab = join(root.outside, 'fstab.www');
    const about = { www_mount_enable: 'YES', www_fstab: fstab };
    const refused = (line: string, expected: object) => {
      writeFileSync(fstab, `# first line\n${line}\n`);
      return assert.rejects(startJail(jail(about), options), expected);
    };
    await refused(`/usr ${root.path}/../x null ro`, { code: 'ERR_JAIL_RC', file: fstab, line: 2 });
    await refused('/usr /etc null ro', { code: 'ERR_JAIL_RC', file: fstab, line: 2 });
    await refused(`/usr ${root.path} null ro`, { code: 'ERR_JAIL_RC', file: fstab, line: 2 });
    await refused(`/dev/da0 ${root.path}/mnt ufs ro`, { code: 'ERR_JAIL_UNSUPPORTED', line: 2 });
    await refused(`tmpfs ${root.path}/mnt tmpfs quota`, { code: 'ERR_JAIL_UNSUPPORTED', line: 2 });
    makeLink(root.outside, join(root.path, 'planted'));
    await refused(`/usr ${root.path}/planted null ro`, { code: 'ELOOP', step: 'mount' });
    rmSync(fstab);
    await assert.rejects(startJail(jail(about), options), { code: 'ENOENT', path: fstab });
    assert.deepEqual(running(), []);
  });

  it('does not write into files that somebody has put in the place of its own', async () => {
    const precious = join(root.outside, 'precious');
    writeFileSync(precious, 'keep\n');
    symlinkSync(precious, consoleLog());
    await assert.rejects(startJail(jail(), options), { step: 'console-log' });
    rmSync(consoleLog());
    linkSync(precious, consoleLog());
    await assert.rejects(startJail(jail(), options), { code: 'ERR_JAIL_RC', file: consoleLog() });
    rmSync(consoleLog());
    symlinkSync(precious, idFile());
    await startJail(jail(), options);
    assert.ok(statSync(idFile()).isFile());
    await stopJail(jail(), options);
    assert.equal(readFileSync(precious, 'latin1'), 'keep\n');
    assert.deepEqual(running(), []);
  });

  it('runs its programs as the user of its flags', async function () {
    needRoot(this);
    const script = join(root.path, 'tmp', 'who');
    writeFile(script, '#!/bin/sh\nid -u\ncd; pwd\n', 0o755);
    const about = { www_exec_start: '/tmp/who', www_flags: '-l -U root' };
    await startJail(jail(about), options);
    assert.equal(logText(), '0\n/root\n');
    await stopJail(jail(about), options);
    await startJail(jail({ ...about, www_flags: '-u nobody' }), options);
    assert.match(logText(), /^65534\n/);
    await stopJail(jail(about), options);
    await assert.rejects(startJail(jail({ ...about, www_flags: '-u no_such_user' }), options), {
      code: 'ERR_JAIL_RC',
      message: /no user no_such_user/,
    });
  });

  it('ends with its last process where jail_<name>_persist says so', async () => {
    const about = { www_persist: 'until_empty', www_exec_start: "/bin/sh -c 'sleep 0.5 &'" };
    await startJail(jail(about), options);
    assert.equal(running().length, 1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.deepEqual(running(), []);
    assert.equal(jailStatus(jail(about), options).state, 'stale');
    await stopJail(jail(about), options);
    assert.ok(!existsSync(idFile()));
  });

  it('is one of several, started in order and stopped in reverse; one that fails stops no other', async () => {
    // On DragonFly jails that share a root would have to share its mounts.
    const alone = onDragonfly ? { devfs_enable: 'NO', procfs_enable: 'NO' } : {};
    const order = { db_depends: 'net', web_depends: 'db', list_depends: 'mail' };
    const all = conf(
      { ...alone, ...order, mail_exec_start: "/bin/sh -c 'exit 1'" },
      'web mail list db net',
    );
    const results = await startAll(all, options);
    assert.deepEqual(
      results.map(({ name, status }) => [name, status?.state ?? null]),
      [
        ['net', 'running'],
        ['db', 'running'],
        ['web', 'running'],
        ['mail', null],
        ['list', null],
      ],
    );
    assert.match(String(results[3]?.error), /exec_start ended with exit status 1/);
    assert.match(String(results[4]?.error), /depends on mail, which has failed/);
    const stopped = await stopAll(all, options);
    assert.deepEqual(
      stopped.map(({ name, error }) => [name, error]),
      ['list', 'mail', 'web', 'db', 'net'].map((name) => [name, null]),
    );
    assert.deepEqual(running(), []);
  });

  it('is not started by startAll() where jail_enable is off, but stopped by stopAll()', async () => {
    const off = conf({ enable: 'NO' });
    assert.deepEqual(await startAll(off, options), []);
    await startJail(jail(), options);
    assert.equal((await stopAll(off, options))[0]?.status?.changed, true);
  });

  it('outlives the program that has started it', async () => {
    onlyInThisProgram('another Node program');
    const code = `import { startJail } from ${JSON.stringify(rcUrl)};
      const { jid } = await startJail(${JSON.stringify(jail())}, ${JSON.stringify(options)});
      console.log(jid);`;
    const { stdout, stderr } = spawnSync(nodePath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    const [info] = running();
    assert.deepEqual([info?.jid, info?.owned], [Number(stdout), false]);
    assert.equal((await stopJail(jail(), options)).changed, true);
    assert.deepEqual(running(), []);
  });
});

async function warningsOf(action: () => Promise<void>): Promise<readonly Error[]> {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  try {
    await action();
    await new Promise(setImmediate);
  } finally {
    process.off('warning', listener);
  }
  return warnings;
}
