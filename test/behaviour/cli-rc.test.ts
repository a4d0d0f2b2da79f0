import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jail, listJails } from 'dragonfly-jail';
import { runDfjail } from '../support/cli-process.js';
import { eventually, onRealDragonfly, patience } from '../support/environment.js';
import { Snapshot } from '../support/leaks.js';
import { makeRoot, type TestRoot } from '../support/roots.js';

const TEST_TIMEOUT = patience(60_000);
// On DragonFly jails of one root would have to share these mounts.
const DEVICES = 'jail_devfs_enable="YES"\njail_procfs_enable="YES"\n';

describe('dfjail start, stop, restart and status', function () {
  this.timeout(TEST_TIMEOUT);
  let root: TestRoot;
  let conf: string;
  let folders: string[];
  let earlier: Snapshot;

  beforeEach(async () => {
    root = await makeRoot();
    earlier = new Snapshot(root.outside);
    conf = join(root.outside, 'rc.conf');
    folders = ['--run-dir', 'run', '--log-dir', 'log'].map((word) =>
      word.startsWith('-') ? word : join(root.outside, word),
    );
    mkdirSync(join(root.outside, 'run'));
    mkdirSync(join(root.outside, 'log'));
    writeFileSync(conf, confText());
  });
  afterEach(async () => {
    for (const { path, jid } of listJails()) {
      if (path === root.path) await (await Jail.open(jid)).stop({ graceMs: 0 });
    }
    await earlier.assertNothingLeft();
    await root.remove();
  });

  function confText(about = ''): string {
    const shown = root.mounts.filter(({ type }) => type === 'nullfs');
    const mounts = shown.map(({ source, target }) => `${source}:${target}:ro`).join(' ');
    const jail = (name: string, address: string) => `
jail_${name}_rootdir="${root.path}"
jail_${name}_hostname="${name}.test"
jail_${name}_ip="${address}"
jail_${name}_exec_start="/bin/sh -c 'echo started; sleep 1000 &'"
`;
    return `jail_enable="YES"
jail_list="web db"
jail_mounts="${mounts}"
${onRealDragonfly ? '' : DEVICES}${jail('web', '198.51.100.21')}${jail('db', '198.51.100.22')}${about}`;
  }

  const dfjail = (name: string, ...argv: string[]) =>
    runDfjail([name, '-f', conf, ...folders, ...argv]);
  const running = () =>
    listJails()
      .filter(({ path }) => path === root.path)
      .map(({ hostname }) => hostname)
      .sort();

  it('start, tell of, restart and stop the jails of rc.conf', async () => {
    const before = await dfjail('status');
    assert.equal(before.code, 1);
    assert.match(before.stdout, /^NAME +STATE .*\nweb +stopped .*\ndb +stopped /);
    const started = await dfjail('start');
    assert.deepEqual([started.code, started.stderr], [0, '']);
    assert.match(started.stdout, /^web: started as jail [0-9]+\ndb: started as jail [0-9]+\n$/);
    assert.deepEqual(running(), ['db.test', 'web.test']);
    assert.equal((await dfjail('status')).code, 0);
    const again = await dfjail('start', 'web');
    assert.match(again.stdout, /^web: runs already as jail [0-9]+\n$/);
    const [{ jid }] = JSON.parse((await dfjail('status', '--json', 'web')).stdout);
    const restarted = await dfjail('restart', 'web', '--json');
    assert.equal(restarted.code, 0, restarted.stderr);
    const [{ jid: later, state }] = JSON.parse(restarted.stdout);
    assert.equal(state, 'running');
    assert.notEqual(later, jid);
    const stopped = await dfjail('stop', '--grace', '100');
    assert.deepEqual([stopped.code, stopped.stdout], [0, 'db: stopped\nweb: stopped\n']);
    assert.deepEqual(running(), []);
    assert.deepEqual(readdirSync(join(root.outside, 'run')), []);
    const none = await dfjail('stop', 'web');
    assert.deepEqual([none.code, none.stdout], [0, 'web: did not run\n']);
  });

  it('stop takes jids, and jails that rc.conf does not know', async () => {
    await dfjail('start', 'db');
    const [{ jid }] = JSON.parse((await dfjail('status', '--json', 'db')).stdout);
    const plain = await Jail.create({
      path: root.path,
      hostname: 'plain',
      mounts: root.mounts,
      name: 'web',
    });
    assert.match((await dfjail('status', `${plain.jid}`)).stdout, /web +running/);
    const { code, stdout } = await dfjail('stop', '-t', '0', `${jid}`, 'web');
    assert.deepEqual([code, stdout], [0, `${jid}: stopped\nweb: stopped\n`]);
    assert.deepEqual(running(), []);
    assert.deepEqual(readdirSync(join(root.outside, 'run')), []);
    await eventually(() => assert.throws(() => plain.info()));
  });

  it('one that cannot be started does not keep the others from it', async () => {
    writeFileSync(conf, confText('jail_web_rootdir="/no/such/folder"\n'));
    const { code, stdout, stderr } = await dfjail('start');
    assert.equal(code, 125);
    assert.match(stdout, /^db: started as jail [0-9]+\n$/);
    assert.match(stderr, /^dfjail start web: .*\n {2}hint: /);
    const { stdout: json } = await dfjail('start', '--json');
    const [web, db] = JSON.parse(json);
    assert.deepEqual([web.error.code, db.error], ['ENOENT', null]);
    assert.equal((await dfjail('stop', '-t', '0')).code, 0);
  });

  it('say what is wrong with rc.conf, and where', async () => {
    const unknown = await dfjail('start', 'nobody');
    assert.equal(unknown.code, 125);
    assert.match(unknown.stderr, /nobody.*\n {2}hint: jail_list in .* has web, db/);
    writeFileSync(conf, confText('jail_web_hostname="$(hostname)"\n'));
    const executed = await dfjail('status', '--json');
    assert.equal(executed.code, 125);
    const { error } = JSON.parse(executed.stderr);
    assert.deepEqual([error.code, error.file, typeof error.line], ['ERR_JAIL_RC', conf, 'number']);
    writeFileSync(conf, confText('jail_enable="NO"\njail_web_hostnam="x"\n'));
    const disabled = await dfjail('start');
    assert.equal(disabled.code, 64);
    assert.match(disabled.stderr, /^warning: .*rc\.conf:[0-9]+: .*jail_web_hostnam/);
    assert.match(disabled.stderr, /hint: set jail_enable="YES"/);
    assert.equal((await dfjail('start', '-f', '/no/such/rc.conf')).code, 125);
  });
});
