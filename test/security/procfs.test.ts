import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Jail } from 'dragonfly-jail';
import { assertRefused, assertWorks, compileAttacks, inside, outside } from '../support/attack.js';
import { isRoot, needRoot, needRootless, skip, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// A procfs shows the processes of who has mounted it, whoever looks: with arguments, sockets, and files to write to.
// Node's own process stands for them.
const PROCESS = `proc/${process.pid}`;
// ENOENT, or EACCES below an empty folder that the jail’s root may not search.
const NOT_THERE = /^result (2|13)$/m;

// As the kernel writes them they hold what it encodes.
const PLACES = ['one/proc', 'two/a b\nc\td\\e'];

describe('a procfs of the host', () => {
  const jails = useJails();

  before(function () {
    skipOnDragonfly(this, 'procfs shows a jail its own processes alone, whoever has mounted it');
    compileAttacks(this, jails);
  });

  async function assertHidden(jail: Jail, folder: string, attack: string): Promise<void> {
    for (const name of ['cmdline', 'net/unix', 'status']) {
      assertWorks(await outside(jails, 'open', `/${PROCESS}/${name}`));
      const { stdout } = await jail.exec(attack, ['open', `${folder}${PROCESS}/${name}`]);
      assert.match(stdout, NOT_THERE, name);
    }
    assertWorks(await outside(jails, 'open-to-write', `/${PROCESS}/oom_score_adj`));
    const { stdout } = await jail.exec(attack, [
      'open-to-write',
      `${folder}${PROCESS}/oom_score_adj`,
    ]);
    assert.match(stdout, NOT_THERE);
  }

  it('is not left in a jail whose root is the host’s', async function () {
    needRootless(this);
    const attack = join(jails.root.path, 'hostile', 'attack');
    for (const mounts of [[], [{ type: 'procfs', target: '/proc' } as const]]) {
      const jail = jails.keep(await Jail.create({ path: '/', hostname: 'jail.test', mounts }));
      await assertHidden(jail, '/', attack);
    }
    // The jail's own is another one, and stays.
    const own = jails.keep(
      await Jail.create({
        path: '/',
        hostname: 'jail.test',
        mounts: [{ type: 'procfs', target: '/proc' }],
      }),
    );
    assert.match((await own.exec('cat', ['/proc/self/cmdline'])).stdout, /^cat\0/);
  });

  it('is not left in a jail that has the host’s root below its own', async () => {
    mkdirSync(join(jails.root.path, 'mnt', 'host'), { recursive: true });
    const host = { type: 'nullfs', source: '/', target: '/mnt/host', readOnly: true } as const;
    const jail = await jails.create({ mounts: [...jails.root.mounts, host] });
    assertWorks(await inside(jail, 'open', '/mnt/host/usr'));
    await assertHidden(jail, '/mnt/host/', '/hostile/attack');
    assertWorks(await inside(jail, 'open', '/proc/self/status'));
  });

  it('is not a root, nor a source', async () => {
    mkdirSync(join(jails.root.path, 'mnt', 'proc'), { recursive: true });
    for (const source of ['/proc', `/${PROCESS}`]) {
      const shared = { type: 'nullfs', source, target: '/mnt/proc', readOnly: true } as const;
      await assert.rejects(jails.create({ mounts: [...jails.root.mounts, shared] }), {
        code: 'ERR_JAIL_UNSUPPORTED',
        step: 'mount',
        path: source,
      });
      await assert.rejects(jails.create({ path: source, mounts: [] }), {
        code: 'ERR_JAIL_UNSUPPORTED',
        step: 'root',
        path: source,
      });
    }
  });

  it('is not left anywhere below what is shared, whatever its name is', async function () {
    needRoot(this); // who else may mount
    const folder = mkdtempSync(join(tmpdir(), 'dfjail a\\b-'));
    chmodSync(folder, 0o755);
    try {
      const places = PLACES.map((name) => join(folder, name));
      const file = join(folder, 'status');
      for (const place of places) {
        mkdirSync(place, { recursive: true });
        execFileSync('mount', ['-t', 'proc', 'proc', place]);
      }
      execFileSync('touch', [file]);
      execFileSync('mount', ['--bind', `/${PROCESS}/status`, file]);
      execFileSync('touch', [`${file}2`]);
      execFileSync('mount', ['--bind', `/${PROCESS}/status`, `${file}2`]);
      mkdirSync(join(jails.root.path, 'mnt', 'shared'), { recursive: true });
      const target = '/mnt/shared';
      const shared = { type: 'nullfs', source: folder, target, readOnly: true } as const;
      const jail = await jails.create({ mounts: [...jails.root.mounts, shared] });
      const { stdout } = await jail.exec('/bin/sh', [
        '-c',
        `cd ${target} && ls -A */* && cat status*`,
      ]);
      assert.equal(stdout, '');
      for (const name of PLACES)
        assertRefused(await inside(jail, 'open', join(target, name, '1', 'status')));
      await jails.stopAll();
    } finally {
      for (const name of [...PLACES, 'status', 'status2'])
        execFileSync('umount', [join(folder, name)]);
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the procfs of a jail', () => {
  const jails = useJails();

  before(function () {
    skipOnDragonfly(this, 'procfs has processes alone');
    compileAttacks(this, jails);
  });

  // What tells of the machine, or of how it was started.
  const FILES = [
    'kcore',
    'keys',
    'timer_list',
    'kallsyms',
    'interrupts',
    'cmdline',
    'latency_stats',
  ];
  const FOLDERS = ['acpi', 'asound', 'scsi'];

  it('shows nothing of the machine that others hide', async function () {
    const jail = await jails.create();
    const shell = async (command: string) => (await jail.exec('/bin/sh', ['-c', command])).stdout;
    const there = (name: string) => outside(jails, 'open', `/proc/${name}`);
    let shown = 0;
    for (const name of FILES) {
      shown += (await there(name)).result === 'ok' ? 1 : 0;
      assert.equal(await shell(`head -c 10 /proc/${name} 2>/dev/null`), '', name);
    }
    for (const name of FOLDERS) {
      shown += (await there(name)).result === 'ok' ? 1 : 0;
      assert.equal(await shell(`ls -A /proc/${name} 2>/dev/null`), '', name);
    }
    if (shown === 0) skip(this, 'this kernel has none of it');
    if (isRoot) assertWorks(await outside(jails, 'open', '/proc/cmdline'));
  });

  it('lets nothing of the machine be written', async () => {
    const jail = await jails.create();
    for (const name of [
      'sysrq-trigger',
      'irq/default_smp_affinity',
      'sys/kernel/panic',
      'bus/pci/00',
    ])
      assertRefused(
        await inside(jail, 'open-to-write', `/proc/${name}`),
        /^(EROFS|EACCES|ENOENT|EISDIR)$/,
      );
  });
});
