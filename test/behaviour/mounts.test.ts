import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Jail, MountSpec } from 'dragonfly-jail';
import { onDragonfly, onModel, onRealDragonfly, skipOnModel } from '../support/environment.js';
import {
  makeDirectory,
  makeLink,
  namesIn,
  ownerOf,
  readFile,
  writeFile,
} from '../support/files.js';
import { hostMounts } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { makeRoot, type TestRoot } from '../support/roots.js';
import { system } from '../support/system/index.js';

describe('the mounts of a jail', () => {
  const jails = useJails();
  let shared: string;
  let count = 0;
  let root: TestRoot | undefined;

  beforeEach(() => {
    shared = join(jails.root.outside, `shared-${++count}`);
    makeDirectory(shared);
    writeFile(join(shared, 'file'), 'of the host\n');
  });

  // After the jails, whose hook comes first.
  afterEach(async () => {
    await jails.stopAll();
    await root?.remove();
    root = undefined;
  });

  async function withMount(...mounts: MountSpec[]): Promise<Jail> {
    return jails.create({ mounts: [...jails.root.mounts, ...mounts] });
  }

  // On DragonFly what the administrator has mounted there already lets no other one be mounted on it.
  async function withOwn(type: 'devfs' | 'procfs', target: string): Promise<Jail> {
    if (onModel) return withMount({ type, target });
    if (!onRealDragonfly) return jails.create();
    root = await makeRoot('own', { ownDevices: true });
    return jails.create({ path: root.path, mounts: [{ type, target }] });
  }

  async function shell(jail: Jail, script: string): Promise<string> {
    const { stdout, stderr } = await jail.exec('sh', ['-c', script]);
    return `${stdout}${stderr}`;
  }

  it('show a directory of the host, which can be written', async () => {
    const jail = await withMount({ type: 'nullfs', target: '/mnt', source: shared });
    assert.equal(await shell(jail, 'cat /mnt/file && echo new > /mnt/made'), 'of the host\n');
    assert.equal(readFile(join(shared, 'made')), 'new\n');
    assert.equal(ownerOf(join(shared, 'made')), onDragonfly ? 0 : process.getuid?.());
  });

  it('show a directory of the host, which can only be read', async () => {
    const mount: MountSpec = { type: 'nullfs', target: '/mnt', source: shared, readOnly: true };
    const jail = await withMount(mount);
    const output = await shell(jail, 'cat /mnt/file; echo x > /mnt/made; rm -f /mnt/file');
    assert.match(output, /^of the host\n[\s\S]*Read-only/);
    assert.equal(readFile(join(shared, 'file')), 'of the host\n');
  });

  it('do not let the host’s system directories be changed', async () => {
    const jail = await jails.create();
    const output = await shell(jail, 'mkdir /usr/dfjail-test && rmdir /usr/dfjail-test');
    assert.match(output, /Read-only/);
  });

  it('are file systems of the jail’s own in memory, of the size given', async () => {
    const jail = await withMount({
      type: 'tmpfs',
      target: '/mnt',
      options: { size: '1m', mode: 0o750 },
    });
    assert.match(
      await shell(jail, `${system.printMode} /mnt; echo x > /mnt/x && cat /mnt/x`),
      /^750\nx\n$/,
    );
    const output = await shell(jail, 'head -c 3000000 /dev/zero > /mnt/big; wc -c < /mnt/big');
    assert.match(output, /No space left/);
    // On DragonFly the mount is in the host's own tree.
    const onHost = namesIn(join(jails.root.path, 'mnt')).sort();
    assert.deepEqual(onHost, onDragonfly ? ['big', 'x'] : []);
  });

  it('are read-only in memory when asked', async () => {
    const jail = await withMount({ type: 'tmpfs', target: '/mnt', readOnly: true });
    assert.match(await shell(jail, 'echo x > /mnt/x'), /Read-only/);
  });

  it('forbid programs when asked', async () => {
    const mount: MountSpec = { type: 'nullfs', target: '/mnt', source: shared };
    writeFile(join(shared, 'program'), '#!/bin/sh\necho ran\n', 0o755);
    const free = await withMount(mount);
    assert.equal((await free.exec('/mnt/program')).stdout, 'ran\n');
    await free.stop();
    const bound = await withMount({ ...mount, options: { noexec: true } });
    await assert.rejects(bound.exec('/mnt/program'), { code: 'EACCES', step: 'exec' });
  });

  it('are made in their order, one within the other', async () => {
    makeDirectory(join(shared, 'inner'));
    const jail = await withMount(
      { type: 'nullfs', target: '/mnt', source: shared, readOnly: true },
      { type: 'tmpfs', target: '/mnt/inner' },
    );
    assert.equal(await shell(jail, 'echo x > /mnt/inner/x; cat /mnt/inner/x'), 'x\n');
  });

  it('have the usual devices and no others', async () => {
    const jail = await withOwn('devfs', '/dev');
    const names = (await shell(jail, 'ls /dev')).trim().split('\n');
    for (const name of ['null', 'zero', 'random', 'urandom']) assert(names.includes(name), name);
    const usual = /^(null|zero|full|u?random|tty|ptmx|pts|shm|fd|std(in|out|err)|console|mqueue)$/;
    assert.deepEqual(
      names.filter((name) => !usual.test(name)),
      [],
    );
    if (onModel) return; // where devices have no content
    const script =
      'echo lost > /dev/null; head -c 4 /dev/zero | od -An -tx1; head -c 9 /dev/urandom | wc -c';
    assert.equal((await shell(jail, script)).replace(/ /g, ''), '00000000\n9\n');
  });

  it('show the processes of the jail only', async function () {
    skipOnModel(this, 'its procfs has no files');
    const jail = await withOwn('procfs', '/proc');
    const pids = (await shell(jail, 'cd /proc && echo [0-9]*')).trim().split(' ');
    assert(pids.length <= 3, `${pids.length} processes`);
    assert.doesNotMatch(await shell(jail, 'cat /proc/[0-9]*/cmdline'), /mocha/);
  });

  it('are not seen on the host, but on DragonFly, which has one tree for all', async () => {
    const before = hostMounts();
    const jail = await withMount({ type: 'nullfs', target: '/mnt', source: shared });
    assert.equal(hostMounts().length, before.length + (onDragonfly ? 1 : 0));
    await jail.stop();
    assert.deepEqual(hostMounts(), before);
    assert.equal(readFile(join(shared, 'file')), 'of the host\n');
  });

  it('do not follow a link that the jail has put in the place of a mount point', async () => {
    makeLink('/etc', join(jails.root.path, 'trap'));
    await assert.rejects(withMount({ type: 'tmpfs', target: '/trap' }), {
      code: 'ELOOP',
      step: 'mount',
      path: '/trap',
    });
  });
});
