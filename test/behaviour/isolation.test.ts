import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Jail } from 'dragonfly-jail';
import {
  onDragonfly,
  onRealDragonfly,
  skipOnDragonfly,
  skipOnModel,
} from '../support/environment.js';
import { writeFile } from '../support/files.js';
import { hostProcess, type Neighbour, startNeighbour } from '../support/host.js';
import { attempt, compileHostile } from '../support/hostile.js';
import { useJails } from '../support/jails.js';

// Flags of clone(2) and unshare(2).
const NAMESPACES = {
  mount: 0x20000,
  cgroup: 0x2000000,
  hostname: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
};

const REFUSED = /^(EPERM|EACCES|ENOSYS|EROFS)$/;

describe('what is outside of a jail', () => {
  const jails = useJails();
  let jail: Jail;
  let secret: string;
  let neighbour: Neighbour;

  before(function () {
    compileHostile(this, jails.root);
    secret = join(jails.root.outside, 'secret');
    writeFile(secret, 'the host’s secret');
    neighbour = startNeighbour();
  });
  after(() => {
    neighbour?.end();
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  it('has processes that can be neither signalled nor seen', async () => {
    const pid = String(neighbour.pid);
    // DragonFly does not hide that there is one.
    assert.equal(await attempt(jail, 'kill', pid, '9'), onDragonfly ? 'EPERM' : 'ESRCH');
    assert.equal(await attempt(jail, 'open', `/proc/${pid}/status`), 'ENOENT');
    assert.equal(hostProcess(Number(pid))?.command, 'sleep');
  });

  it('survives a kill of everything, and so does the jail', async () => {
    await jail.exec('sh', ['-c', 'kill -9 -1']);
    await attempt(jail, 'kill', '1', '9');
    assert.equal(hostProcess(neighbour.pid)?.command, 'sleep');
    assert.equal((await jail.exec('echo', ['alive'])).stdout, 'alive\n');
  });

  it('has files that cannot be read by any path', async () => {
    const up = '/..'.repeat(20);
    const paths = [
      secret,
      `${up}${secret}`,
      `/proc/1/root${secret}`,
      `/proc/self/root${secret}`,
      `/proc/1/cwd${up}${secret}`,
      `/proc/self/cwd${up}${secret}`,
    ];
    for (const path of paths) assert.notEqual(await attempt(jail, 'open', path), 'ok', path);
  });

  it('cannot be reached by climbing out of a second root', async () => {
    assert.notEqual(await attempt(jail, 'escape', secret), 'ok');
    assert.notEqual(await attempt(jail, 'escape', `.${secret}`), 'ok');
  });

  it('cannot be reached by a handle of a file', async () => {
    assert.match(await attempt(jail, 'handle'), REFUSED);
  });

  it('has no descriptor inside by which it could be reached', async function () {
    skipOnModel(this, 'its shell cannot ask');
    if (onRealDragonfly) {
      const tried = 'for fd in 3 4 5 6 7 8 9; do (: <&$fd) 2>/dev/null && echo $fd; done; :';
      assert.equal((await jail.exec('sh', ['-c', tried])).stdout, '');
      return;
    }
    const script = 'for fd in /proc/self/fd/* /proc/1/fd/*; do readlink $fd; done';
    const { stdout } = await jail.exec('sh', ['-c', script]);
    for (const target of String(stdout).trim().split('\n')) {
      assert.match(target, /^(pipe:.*|\/proc\/\d+\/fd|\/dev\/null|)$/);
    }
  });

  it('has no program of ours inside that could be overwritten', async () => {
    assert.notEqual(await attempt(jail, 'write', '/proc/1/exe'), 'ok');
  });

  it('has disks that cannot be opened as devices', async () => {
    // The null device is nobody's secret: what counts is that no device can be made.
    assert.notEqual(await attempt(jail, 'device', '7', '0'), 'ok');
    assert.notEqual(await attempt(jail, 'device', '254', '0'), 'ok');
  });

  it('has a kernel whose settings cannot be written', async function () {
    skipOnDragonfly(this, 'they are sysctls: test/security/kernel.test.ts tries to write one');
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    for (const path of [
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/hostname',
      '/proc/sys/net/ipv4/ip_nonlocal_bind',
      '/proc/sys/net/ipv4/ip_unprivileged_port_start',
      '/proc/sysrq-trigger',
    ]) {
      assert.notEqual(await attempt(jail, 'write', path), 'ok', path);
    }
    assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), before);
  });

  it('has mounts that cannot be changed from inside', async () => {
    assert.match(await attempt(jail, 'mount', '/mnt'), REFUSED);
    assert.match(await attempt(jail, 'bindmount', '/usr', '/mnt'), REFUSED);
    assert.match(await attempt(jail, 'remount', '/usr'), REFUSED);
    assert.match(await attempt(jail, 'umount', onDragonfly ? '/usr' : '/proc'), REFUSED);
    if (onDragonfly) return; // the rest is about Linux
    assert.match(await attempt(jail, 'remount', '/proc/sys'), REFUSED);
    assert.match(await attempt(jail, 'umount', '/proc/sys'), REFUSED);
    // fsopen, move_mount, open_tree, mount_setattr
    for (const call of ['430', '429', '428', '442']) {
      assert.match(await attempt(jail, 'call', call), REFUSED, call);
    }
  });

  for (const [name, flag] of Object.entries(NAMESPACES)) {
    it(`has no ${name} namespace that a jail could make`, async function () {
      skipOnDragonfly(this, 'there are no namespaces');
      assert.match(await attempt(jail, 'unshare', String(flag)), REFUSED);
      assert.match(await attempt(jail, 'clone', String(flag)), REFUSED);
    });
  }

  it('has no namespace that a jail could enter', async function () {
    skipOnDragonfly(this, 'there are no namespaces');
    for (const name of ['mnt', 'net', 'pid', 'user']) {
      assert.match(await attempt(jail, 'setns', `/proc/1/ns/${name}`), /^(EPERM|EACCES|EBADF)$/);
    }
  });

  it('is not open through clone3, io_uring or a 32-bit call', async function () {
    skipOnDragonfly(this, 'this is about calls of Linux');
    assert.match(await attempt(jail, 'call', '435'), /^(ENOSYS|EPERM)$/);
    assert.match(await attempt(jail, 'call', '425', '8'), /^(ENOSYS|EPERM)$/);
    assert.match(await attempt(jail, 'call32', '20'), /^(ENOSYS|EPERM)$/);
  });

  it('has parts of the kernel that belong to no jail', async function () {
    skipOnDragonfly(this, 'its own calls are tried in test/security/kernel.test.ts');
    if (process.arch !== 'x64') return;
    // With these arguments no kernel does anything; the error tells whether the right is there.
    const calls = {
      init_module: ['175'],
      finit_module: ['313', '-1'],
      delete_module: ['176'],
      swapon: ['167'],
      acct: ['163'],
      syslog: ['103', '10'],
      add_key: ['248'],
      keyctl: ['250', '0', '-3'],
      bpf: ['321', '0'],
      perf_event_open: ['298'],
      kexec_file_load: ['320', '-1', '-1'],
    };
    for (const [name, args] of Object.entries(calls)) {
      assert.match(await attempt(jail, 'call', ...args), REFUSED, name);
    }
  });

  it('does not get what is typed into its terminal from inside', async function () {
    skipOnDragonfly(this, 'whoever has a terminal may type into it: docs/security.md says so');
    const command = jail.spawn('/hostile/try', ['inject'], { pty: true });
    let output = '';
    command.stdout?.on('data', (data) => {
      output += data;
    });
    await command.exited;
    assert.doesNotMatch(output, /result 0/);
  });

  it('is not seen by one jail in another', async () => {
    const other = await jails.create({ hostname: 'other' });
    const command = other.spawn('sleep', ['4711']);
    await once(command, 'spawn');
    const script = `${onRealDragonfly ? 'ps -axww' : 'cat /proc/[0-9]*/cmdline'}; uname -n`;
    const { stdout } = await jail.exec('sh', ['-c', script]);
    assert.doesNotMatch(String(stdout), /4711|other/);
    assert.notEqual(await attempt(jail, 'kill', String(command.pid), '9'), 'ok');
  });
});
