import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Jail } from 'dragonfly-jail';
import { assertRefused, assertWorks, compileAttacks, inside, outside } from '../support/attack.js';
import { runDfjail } from '../support/cli-process.js';
import { needRoot, onDragonfly, skip, skipOnDragonfly } from '../support/environment.js';
import { stateDirectory } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

// Who can write into the registry can answer a Jail.open() in the place of a monitor, and is sent the descriptors of
// commands. Whoever shares /tmp or /run with a jail shares the registry's folder too, and what a jail writes there is
// written by root or by the very user.

describe('the registry of jails', () => {
  const jails = useJails();

  before(function () {
    compileAttacks(this, jails);
  });

  it('is not to be seen in a jail that shares the directory that it lies in', async () => {
    const state = stateDirectory();
    const above = dirname(state);
    mkdirSync(join(jails.root.path, 'mnt', 'above'), { recursive: true });
    const neighbour = join(above, `dfjail-neighbour-${process.pid}`);
    await jails.create(); // so that there is one
    writeFileSync(neighbour, 'may be seen');
    const shared = { type: 'nullfs', source: above, target: '/mnt/above', readOnly: true } as const;
    const jail = await jails.create({ mounts: [...jails.root.mounts, shared] });
    const seen = (path: string) => path.replace(above, '/mnt/above');
    assertWorks(await inside(jail, 'open', seen(neighbour)));
    const names = ['next', 'index', 'locks', 'mutex', 'jails', 'names'];
    for (const name of names.filter((each) => existsSync(join(state, each)))) {
      assertWorks(await outside(jails, 'open', join(state, name)));
      assertRefused(await inside(jail, 'open', seen(join(state, name))));
      assertRefused(await inside(jail, 'open-to-write', seen(join(state, name))));
    }
    if (!onDragonfly) assertRefused(await inside(jail, 'umount', seen(state)));
    await jails.stopAll();
  });

  it('is not to be seen in a jail that has it as a mount', async () => {
    const state = stateDirectory();
    mkdirSync(join(jails.root.path, 'mnt', 'state'), { recursive: true });
    await jails.create();
    const itself = { type: 'nullfs', source: state, target: '/mnt/state' } as const;
    const jail = await jails.create({ mounts: [...jails.root.mounts, itself] });
    assertWorks(await outside(jails, 'open', join(state, 'names')));
    assertRefused(await inside(jail, 'open', '/mnt/state/names'));
    assertRefused(await inside(jail, 'open-to-write', '/mnt/state/names'));
    assertRefused(await inside(jail, 'make-device', '/mnt/state/new', '7', '0'));
  });

  it('is not to be seen in a jail that it lies below the root of', async () => {
    const state = join(jails.root.path, 'mnt', 'registry');
    const before = process.env.DRAGONFLY_JAIL_STATE;
    process.env.DRAGONFLY_JAIL_STATE = state;
    try {
      const first = await jails.create();
      writeFileSync(join(jails.root.path, 'mnt', 'neighbour'), 'may be seen');
      const jail = await jails.create();
      assertWorks(await inside(jail, 'open', '/mnt/neighbour'));
      assertWorks(await outside(jails, 'open', join(state, 'next')));
      for (const name of ['next', 'locks', `jails/${first.jid}/entry`]) {
        assertWorks(await outside(jails, 'open', join(state, name)));
        assertRefused(await inside(jail, 'open', `/mnt/registry/${name}`));
        assertRefused(await inside(jail, 'open-to-write', `/mnt/registry/${name}`));
      }
      assertRefused(await inside(jail, 'make-device', '/mnt/registry/new', '7', '0'));
      await jails.stopAll();
    } finally {
      if (before === undefined) delete process.env.DRAGONFLY_JAIL_STATE;
      else process.env.DRAGONFLY_JAIL_STATE = before;
    }
  });

  it('is not to be seen by a mount of it, or of a part of it, below a directory that is shared', async function () {
    needRoot(this); // who else may mount
    if (onDragonfly) skip(this, 'all jails of a root see the same mounts');
    const shared = join(jails.root.outside, 'shared');
    for (const name of ['all', 'part']) mkdirSync(join(shared, name), { recursive: true });
    mkdirSync(join(jails.root.path, 'mnt', 'bound'), { recursive: true });
    const state = stateDirectory();
    await jails.create(); // so that there is one
    const bind = (from: string, to: string) => `mount --bind ${from} ${join(shared, to)}`;
    const mounts = `${bind(state, 'all')} && ${bind(join(state, 'jails'), 'part')} && exec "$0" "$@"`;
    const by = ['unshare', '--mount', 'sh', '-c', mounts, process.execPath];
    const say = `
      const { existsSync } = await import('node:fs');
      const shared = { type: 'nullfs', source: ${JSON.stringify(shared)}, target: '/mnt/bound' };
      const jail = await Jail.create({ ...spec, mounts: [...spec.mounts, shared] });
      const seen = async (path) => (await jail.exec('sh', ['-c', 'ls ' + path])).stdout;
      const host = existsSync(shared.source + '/all/next') && existsSync(shared.source + '/part/' + jail.jid);
      say({ host, all: await seen('/mnt/bound/all'), part: await seen('/mnt/bound/part') });
      await jail.stop();`;
    await using program = new Program(say, jails.spec(), { by });
    assert.deepEqual(await program.next(), { host: true, all: '', part: '' });
    await program.ended;
    await jails.stopAll();
  });

  it('is believed only when the jail’s monitor is who listens there', async () => {
    const made = await runDfjail(['run', '--json', '-d', 'sleep', '100']);
    const { jid } = JSON.parse(made.stdout);
    const socket = join(stateDirectory(), 'jails', `${jid}`, 'socket');
    const control = await Jail.open(jid);
    await control[Symbol.asyncDispose]();
    renameSync(socket, `${socket}.true`);
    const heard: Buffer[] = [];
    const server = createServer((peer) => peer.on('data', (bytes) => heard.push(bytes)));
    await once(server.listen(socket), 'listening');
    try {
      await assert.rejects(Jail.open(jid), { code: 'EPERM', step: 'monitor', jid });
      assert.deepEqual(heard, []);
    } finally {
      server.close();
      rmSync(socket, { force: true });
      renameSync(`${socket}.true`, socket);
      await runDfjail(['stop', '--grace', '0', `${jid}`]);
    }
  });

  it('tells of its jails where the disk is full, too', async function () {
    skipOnDragonfly(this, 'the kernel lists them; reliability/state.test.ts fills a disk there');
    needRoot(this); // who else may mount so small a one
    const state = join(jails.root.outside, 'small');
    mkdirSync(state);
    const mount = `mount -t tmpfs -o size=8k,mode=755 small ${state} && exec "$0" "$@"`;
    const by = ['unshare', '--mount', 'sh', '-c', mount, process.execPath];
    const say = `
      process.env.DRAGONFLY_JAIL_STATE = ${JSON.stringify(state)};
      const jail = await Jail.create(spec);
      const listed = dfjail.listJails().map(({ jid, state }) => ({ jid, state }));
      const { stdout } = await jail.exec('echo', ['works']);
      const full = await Jail.create(spec).then(() => null, ({ code }) => code);
      say({ jid: jail.jid, listed, again: dfjail.listJails().length, stdout, full });
      await jail.stop();`;
    await using program = new Program(say, jails.spec(), { by });
    const answer = await program.next<Record<string, unknown>>();
    const { jid } = answer;
    assert.deepEqual(answer, {
      jid,
      listed: [{ jid, state: 'empty' }],
      again: 1,
      stdout: 'works\n',
      full: 'ENOSPC',
    });
  });
});
