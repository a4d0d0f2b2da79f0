import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Jail, SpawnOptions } from 'dragonfly-jail';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  attackOutside,
  compileAttacks,
  inChroot,
  inside,
  needControl,
  outside,
} from '../support/attack.js';
import { isRoot, needRoot, onDragonfly, skip, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

describe('the files of the host', () => {
  const jails = useJails();
  let jail: Jail;
  let secret: string;

  before(function () {
    compileAttacks(this, jails);
    secret = join(jails.root.outside, 'secret');
    writeFileSync(secret, 'the host’s secret');
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  for (const way of ['climb-by-descriptor', 'climb-by-directory']) {
    it(`are not reached by a second root: ${way}`, async () => {
      // There is no control on DragonFly: its chroot(2) does not let these ways out either.
      if (!onDragonfly) assertWorks(await inChroot(jails, way, `.${secret}`));
      assertRefused(await inside(jail, way, `.${secret}`));
      assertRefused(await inside(jail, way, secret));
    });
  }

  it('are not reached through anything that a command finds open', async () => {
    // A program that was itself started with a descriptor that is not closed on exec.
    const say = `
      import { execFileSync } from 'node:child_process';
      const run = (...args) => execFileSync('/bin/sh', ['-c', 'exec 9</; exec "$0" "$@"', ...args], { encoding: 'utf8' });
      const jail = await Jail.create(spec);
      const inside = (...args) => jail.exec(${JSON.stringify(ATTACK)}, args).then(({ stdout }) => stdout);
      say({
        leaves: run(${JSON.stringify(attackOutside(jails))}, 'leave-by-descriptors', ${JSON.stringify(secret)}),
        stays: await inside('leave-by-descriptors', ${JSON.stringify(secret)}),
        open: await inside('list-descriptors'),
      });
      await jail.stop();`;
    const shell = ['-c', 'exec 9</; exec 8</etc; exec "$0" "$@"', process.execPath];
    await using program = new Program(say, jails.spec(), { by: ['/bin/sh', ...shell] });
    const { leaves, stays, open } = await program.next<Record<string, string>>();
    assert.match(leaves ?? '', /^result 0$/m);
    assert.match(stays ?? '', /^result 2$/m);
    assert.deepEqual(descriptorsIn(open), [0, 1, 2]);
  });

  it('are not among the descriptors of a command: it has those that were given, and no others', async () => {
    const folder = openSync('/', 'r');
    const file = openSync(secret, 'r');
    try {
      const stdio = ['ignore', 'pipe', 'ignore', 'ignore', 'pipe', file] as const;
      const command = jail.spawn(ATTACK, ['list-descriptors'], { stdio });
      let text = '';
      command.stdout?.on('data', (data) => {
        text += data;
      });
      await once(command, 'close');
      assert.deepEqual(descriptorsIn(text), [0, 1, 2, 4, 5]);
    } finally {
      closeSync(folder);
      closeSync(file);
    }
  });

  it('are not reached through any process that the jail can see', async function () {
    skipOnDragonfly(this, 'procfs shows no descriptors nor directories of processes');
    const { dev, ino } = statSync(secret);
    const where = [secret, `${dev}:${ino}`];
    assertWorks(await outside(jails, 'search-processes', ...where));
    const own = openSync(join(jails.root.path, 'etc', 'passwd'), 'r');
    const tried = await inside(jail, 'search-processes', ...where);
    closeSync(own);
    assertRefused(tried);
    assert.match(tried.output, /^looked [2-9]/m, 'pid 1 and the searcher are looked at');
  });

  it('are not reached by the root of pid 1', async function () {
    skipOnDragonfly(this, 'a jail has no pid 1, and procfs shows no roots');
    assertWorks(await outside(jails, 'open', `/proc/${process.pid}/root${secret}`));
    for (const way of ['1', 'self', 'thread-self']) {
      assertRefused(await inside(jail, 'open', `/proc/${way}/root${secret}`));
    }
  });

  it('are not reached by a handle', async function () {
    const { output } = await outside(jails, 'print-handle', secret);
    const [, type = '', hex = ''] = /^handle (\d+) (\w+)$/m.exec(output) ?? [];
    const control = await outside(jails, 'open-handle', '/', type, hex);
    if (isRoot) needControl(this, control, 'open_by_handle_at(2)');
    assertRefused(await inside(jail, 'open-handle', '/', type, hex));
  });

  it('on disks are not read past the file system: no block device can be made', async function () {
    const device = ['7', '0'];
    assertRefused(await inside(jail, 'make-device', '/tmp/disk', ...device));
    assertRefused(await inside(jail, 'make-device', '/disk', ...device));
    assertRefused(await inside(jail, 'make-device', '/dev/disk', ...device));
    if (!isRoot) return;
    const made = join(jails.root.outside, 'disk');
    needControl(this, await outside(jails, 'make-device', made, ...device), 'mknod(2)');
  });

  it('on disks are not read by a device that lies in the root already', async function () {
    skipOnDragonfly(this, 'devices are in devfs alone');
    needRoot(this);
    const made = join(jails.root.path, 'planted');
    execFileSync('mknod', ['-m', '666', made, 'c', '1', '3']);
    needControl(this, await outside(jails, 'open', made), 'opening a device node here');
    assertRefused(await inside(jail, 'open', '/planted'));
  });

  it('and its kernel’s settings cannot be written', async function () {
    skipOnDragonfly(this, 'they are sysctls: see kernel.test.ts');
    const paths = [
      '/proc/sysrq-trigger',
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/kernel/hostname',
      '/proc/sys/vm/drop_caches',
      '/proc/sys/fs/suid_dumpable',
      '/proc/sys/net/ipv4/ip_forward',
    ];
    let shown = 0;
    for (const path of paths) {
      const control = await outside(jails, 'open-to-write', path); // not every kernel has all of them
      shown += control.result === 'ok' ? 1 : 0;
      assertRefused(await inside(jail, 'open-to-write', path));
    }
    if (isRoot && shown === 0)
      skip(this, 'no setting of this kernel can be written outside either');
  });

  it('and its kernel’s settings cannot be written in the jail’s own network either', async function () {
    skipOnDragonfly(this, 'a jail has the network of the host');
    const setting = ['/proc/sys/net/ipv4/ip_nonlocal_bind', '1'];
    assertWorks(await inNamespacesOf(...setting));
    assertRefused(await inside(jail, 'write', ...setting));
  });

  it('are not there as sysfs, nor can it be had', async function () {
    skipOnDragonfly(this, 'there is no sysfs');
    assert.deepEqual(readdirSync(jails.root.path).includes('sys'), false);
    assertWorks(await outside(jails, 'open', '/sys/kernel'));
    assertRefused(await inside(jail, 'open', '/sys/kernel'));
    assertRefused(await inside(jail, 'mount', 'sysfs', '/mnt'));
    assertRefused(await inside(jail, 'new-file-system', 'sysfs', '/mnt'));
  });

  it('are not locked against their owners by leases', async function () {
    skipOnDragonfly(this, 'there are no leases');
    const program = join('usr', 'bin', 'env');
    assertWorks(await outside(jails, 'take-lease', attackOutside(jails)));
    assertRefused(await inside(jail, 'take-lease', ATTACK));
    assertRefused(await inside(jail, 'take-lease', `/${program}`));
  });

  it('are not written in a root that is read-only', async function () {
    skipOnDragonfly(this, 'it has no read-only root');
    const tried = [
      ['open-to-write', '/etc/passwd'],
      ['make-device', '/etc/device', '7', '0'],
      ['make-writable', '/'],
      ['clear-read-only', '/'],
    ];
    const options = { readOnly: true };
    const mounts = [
      ...jails.root.mounts.filter(({ target }) => target !== '/tmp'),
      { type: 'tmpfs', target: '/tmp' } as const,
    ];
    assertWorks(await inside(jail, 'open-to-write', '/etc/passwd'));
    const other = await jails.create({ ...options, mounts });
    for (const attempt of tried) assertRefused(await inside(other, ...attempt));
    const shell = (command: string) => other.exec('/bin/sh', ['-c', command]);
    assert.match(
      (await shell('echo x > /new; echo x > /etc/passwd; chmod 777 /etc')).stderr,
      /Read-only/,
    );
    assert.equal((await shell('echo fine > /tmp/new && cat /tmp/new')).stdout, 'fine\n');
    assert.equal(existsSync(join(jails.root.path, 'new')), false);
  });

  it('are not written in a root that is read-only, nor in what is mounted below it', async function () {
    skipOnDragonfly(this, 'it has no read-only root');
    needRoot(this);
    const below = join(jails.root.path, 'mnt', 'below');
    mkdirSync(below, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'below', below]);
    try {
      const write = ['/bin/sh', ['-c', 'echo x > /mnt/below/x; cat /mnt/below/x']] as const;
      assert.equal((await (await jails.create()).exec(...write)).stdout, 'x\n');
      execFileSync('rm', [join(below, 'x')]);
      const readOnly = await jails.create({ readOnly: true });
      assert.equal((await readOnly.exec(...write)).stdout, '');
      await jails.stopAll();
    } finally {
      execFileSync('umount', [below]);
    }
  });

  it('give nobody rights by a set-user-id bit where there are to be no new privileges', async function () {
    skipOnDragonfly(this, 'it always heeds them');
    needRoot(this);
    const own = join(jails.root.path, 'own-set-user-id');
    execFileSync('install', ['-m', '4755', attackOutside(jails), own]);
    const run = (options: SpawnOptions, of = jail) =>
      of.exec('/own-set-user-id', ['print-ids'], { user: 1000, ...options });
    assert.match((await run({})).stdout, /^ids 1000 0$/m);
    assert.match((await run({ noNewPrivileges: true })).stdout, /^ids 1000 1000$/m);
    const never = await jails.create({ noNewPrivileges: true });
    assert.match((await run({}, never)).stdout, /^ids 1000 1000$/m);
    assert.match((await run({ noNewPrivileges: false }, never)).stdout, /^ids 1000 1000$/m);
    // Another program's monitor knows of it too.
    const say = `
      const jail = await Jail.open(${never.jid});
      say((await jail.exec('/own-set-user-id', ['print-ids'], { user: 1000 })).stdout);
      await jail.release?.();
      process.exit();`;
    await using program = new Program(say, jails.spec());
    assert.match(await program.next<string>(), /^ids 1000 1000$/m);
  });

  it('give nobody rights by a set-user-id bit that is not the jail’s own', async function () {
    needRoot(this);
    const shared = join(jails.root.outside, 'shared');
    const own = join(jails.root.path, 'own-set-user-id');
    execFileSync('install', ['-d', '-m', '755', shared, join(jails.root.path, 'mnt', 'shared')]);
    for (const path of [join(shared, 'program'), own]) {
      execFileSync('install', ['-m', '4755', attackOutside(jails), path]);
    }
    const mounts = [
      ...jails.root.mounts,
      // On Linux always so; on DragonFly, where root inside has the host's number, when asked.
      { type: 'nullfs', source: shared, target: '/mnt/shared', options: NO_SET_UID } as const,
    ];
    const sharing = await jails.create({ mounts });
    const ids = async (path: string) =>
      (await inside(sharing, 'run-as', '1000', path, 'print-ids')).output;
    chmodSync(jails.root.outside, 0o711); // so that other users reach it
    const outsideIds = await outside(jails, 'run-as', '1000', join(shared, 'program'), 'print-ids');
    assert.match(outsideIds.output, /^ids 1000 0$/m);
    assert.match(await ids('/own-set-user-id'), /^ids 1000 0$/m);
    assert.match(await ids('/mnt/shared/program'), /^ids 1000 1000$/m);
  });

  // /proc/sys shows the settings of whoever looks.
  function inNamespacesOf(...setting: string[]) {
    return outside(jails, '--in-namespaces', 'write', ...setting);
  }
});

const NO_SET_UID = { nosuid: true } as const;

function descriptorsIn(text = ''): number[] {
  return [...text.matchAll(/^descriptor (\d+)/gm)].map(([, number]) => Number(number));
}
