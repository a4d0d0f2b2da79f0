import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelKernel, type ModelProcess, useModelKernel } from '#internal/backends/model/index.js';
import { mapJail } from '#internal/backends/model/jail-image.js';
import { listJails } from '#internal/index.js';
import { jailStatus, loadRcConf, type RcJail, startJail, stopJail } from '#internal/rc/index.js';

const ROOT = '/jails/www';
const MNT_FORCE = 0x80000;
const V4 = Uint8Array.of(192, 0, 2, 7);

describe('rc.d/jail and this package on one DragonFly host', () => {
  let kernel: ModelKernel;
  let restore: () => void;
  let folder: string;
  let options: { stateDirectory: string; logDirectory: string; graceMs: number };
  let fstab: string;

  beforeEach(() => {
    kernel = new ModelKernel();
    for (const name of ['dev', 'proc', 'usr/ports', 'tmp', 'etc', 'root']) {
      kernel.directory(`${ROOT}/${name}`);
    }
    kernel.directory('/usr/ports');
    kernel.file(`${ROOT}/etc/passwd`, 'root:*:0:0:Charlie:/root:/bin/sh\n');
    kernel.network.interfaces.get('lo0')?.addresses.push('192.0.2.99');
    kernel.programs
      .add('/bin/start', ({ argv, stdout }) => void stdout.write(`${argv[0]} was run\n`))
      .add('/bin/stop', ({ stdout }) => void stdout.write('stopping\n'))
      .add('/bin/daemon', ({ forever }) => forever());
    restore = useModelKernel(kernel);
    folder = mkdtempSync(join(tmpdir(), 'dfjail-rc-'));
    const inside = (name: string) => {
      mkdirSync(join(folder, name));
      return join(folder, name);
    };
    options = { stateDirectory: inside('run'), logDirectory: inside('log'), graceMs: 50 };
    fstab = join(folder, 'fstab.www');
    writeFileSync(
      fstab,
      `/usr/ports ${ROOT}/usr/ports null ro 0 0\ntmpfs ${ROOT}/tmp tmpfs rw 0 0\n`,
    );
  });
  afterEach(() => {
    restore();
    rmSync(folder, { recursive: true });
  });

  function jail(more = ''): RcJail {
    const text = `jail_enable=YES
jail_list=www
jail_www_rootdir=${ROOT}
jail_www_hostname=www.test
jail_www_ip=192.0.2.7
jail_www_interface=lo0
jail_www_devfs_enable=YES
jail_www_procfs_enable=YES
jail_www_mount_enable=YES
jail_www_fstab=${fstab}
jail_www_exec_start="/bin/start"
jail_www_exec_stop="/bin/stop"
${more}`;
    return loadRcConf({ text }).jails.get('www') ?? assert.fail();
  }

  const idFile = () => join(options.stateDirectory, 'jail_www.id');
  const mounted = () =>
    kernel.host
      .getfsstat()
      .map(({ on }) => on)
      .filter((path) => path.startsWith(ROOT));
  const aliases = () => [...(kernel.network.interfaces.get('lo0')?.addresses ?? [])];

  /** What `/etc/rc.d/jail start` does, by its own calls. */
  function startedByRcD(): { jid: number; daemon: ModelProcess } {
    const { host } = kernel;
    host.addAlias('lo0', V4);
    host.mount('null', `${ROOT}/usr/ports`, 1, '/usr/ports');
    host.mount('tmpfs', `${ROOT}/tmp`);
    host.mount('devfs', `${ROOT}/dev`);
    host.mount('procfs', `${ROOT}/proc`);
    const shell = host.fork();
    const daemon = shell.fork();
    shell.exit(0);
    host.wait();
    daemon.chdir(ROOT);
    const spec = { path: ROOT, hostname: 'www.test', addresses: ['192.0.2.7'] };
    const jid = daemon.jail(mapJail(daemon, spec, kernel.layout));
    writeFileSync(idFile(), `${jid}\n`);
    return { jid, daemon };
  }

  it('a jail that rc.d started is known here, and is stopped here with all that it had', async () => {
    const before = aliases();
    const { jid, daemon } = startedByRcD();
    const status = jailStatus(jail(), options);
    assert.deepEqual([status.state, status.jid], ['running', jid]);
    assert.equal((await startJail(jail(), options)).changed, false);
    assert.equal(mounted().length, 4);
    const stopped = await stopJail(jail(), options);
    assert.deepEqual([stopped.state, stopped.changed], ['stopped', true]);
    assert.ok(daemon.hasEnded);
    assert.equal(readFileSync(stopped.consoleLog, 'utf8'), 'stopping\n');
    assert.deepEqual(mounted(), []);
    assert.deepEqual(aliases(), before);
    assert.deepEqual(listJails(), []);
    assert.ok(!existsSync(idFile()));
  });

  it('what rc.d mounted for a jail that has ended by itself is taken back too', async () => {
    const before = aliases();
    const { daemon } = startedByRcD();
    daemon.exit(0);
    assert.deepEqual(listJails(), []);
    assert.equal(jailStatus(jail(), options).state, 'stale');
    await stopJail(jail(), options);
    assert.deepEqual(mounted(), []);
    assert.deepEqual(aliases(), before);
    assert.ok(!existsSync(idFile()));
  });

  it('mounts of a jail of the same root that is another’s are left alone', async () => {
    const { daemon } = startedByRcD();
    writeFileSync(idFile(), '77\n');
    const stopped = await stopJail(jail(), options);
    assert.equal(stopped.changed, false);
    assert.equal(mounted().length, 4);
    assert.equal(daemon.hasEnded, false);
  });

  it('a jail that was started here is stopped by rc.d, and can be started here again', async () => {
    const before = aliases();
    const { jid } = await startJail(jail(), options);
    assert.equal(mounted().length, 4);
    assert.ok(aliases().includes('192.0.2.7'));
    assert.equal(readFileSync(idFile(), 'latin1'), `${jid}\n`);
    stoppedByRcD();
    const again = await startJail(jail(), options);
    assert.ok(again.changed && again.jid !== jid);
    assert.equal(mounted().length, 4);
    await stopJail(jail(), options);
    assert.deepEqual([mounted(), aliases(), listJails()], [[], before, []]);
  });

  it('a start that fails takes back its mounts and its addresses, in reverse', async () => {
    const before = aliases();
    const missing = jail('jail_www_exec_start=/bin/nothing\n');
    await assert.rejects(startJail(missing, options), { code: 'ENOENT' });
    assert.deepEqual([mounted(), aliases(), listJails()], [[], before, []]);
    assert.ok(!existsSync(idFile()));
  });

  it('an address that the host had before is still there after a stop', async () => {
    const shared = jail('jail_www_ip=192.0.2.99\n');
    await startJail(shared, options);
    await stopJail(shared, options);
    assert.ok(aliases().includes('192.0.2.99'));
  });

  /** What `/etc/rc.d/jail stop` does: no process is left, mounts and alias are taken away by force. */
  function stoppedByRcD(): void {
    const { host } = kernel;
    for (const name of ['dev', 'proc', 'tmp', 'usr/ports']) {
      host.unmount(`${ROOT}/${name}`, MNT_FORCE);
    }
    host.removeAlias('lo0', V4);
    rmSync(idFile());
  }
});
