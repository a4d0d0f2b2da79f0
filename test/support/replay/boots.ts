import assert from 'node:assert/strict';
import { encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, endChild, jailBy } from '../recordings.js';
import type { Replay } from './replay.js';

const ROOT = '/tmp/rec';

/** The group `jid-restart`: jids begin again with each boot. */
export function replayJidRestart(replay: Replay): void {
  const kernel = new ModelKernel();
  for (const path of ['/tmp', ROOT]) kernel.directory(path);
  for (const name of ['a', 'b']) jailBy(kernel.host.fork(), name, ROOT);
  kernel.reboot();
  const recorder = kernel.host;
  replay.checkList('after boot', recorder);
  replayFirst(replay, recorder, 'first of this boot', 1);
  for (let jid = 2; jid <= 3; jid++) replayFirst(replay, recorder, 'another', jid);
}

// Here it is the number itself that is told.
function replayFirst(replay: Replay, recorder: ModelProcess, name: string, expected: number): void {
  const child = recorder.fork();
  const call = () => attempt(() => jailBy(child, 'first', ROOT));
  replay.check(name, call, (row) => assert.deepEqual([child.jid, row.ret], [expected, child.jid]));
  endChild(recorder, child);
}

const LENGTHS = [78, 79, 80, 81];
const NAMES = `${ROOT}/a`;

/** The group `mount-names`: names that are cut, and what can be mounted on what. */
export function replayMountNames(replay: Replay): void {
  const recorder = bootRecorder(new ModelKernel());
  for (const path of ['/tmp', ROOT]) recorder.create(path, 'directory');
  for (const name of ['a', 'proc', 'dev', 'src', 'src/sub', 't']) {
    recorder.create(`${ROOT}/${name}`, 'directory');
  }
  const call = (name: string, make: () => unknown) => replay.check(name, () => attemptDone(make));
  const table = (name: string, below: string) => {
    const rows = () =>
      recorder
        .getfsstat()
        .filter(({ on }) => on.startsWith(below))
        .map(({ type, from, on }) => `${type} ${from} ${on}`);
    replay.check(
      name,
      () => attempt(() => rows().length),
      (row) => assert.deepEqual(rows(), row.m, name),
    );
  };
  for (const length of LENGTHS) {
    const path = `${NAMES}/`.padEnd(length, 'n');
    const name = `name of ${length}`;
    recorder.create(path, 'directory');
    call(`${name}: mount`, () => recorder.mount('tmpfs', path));
    table(`${name}: getfsstat`, NAMES);
    const cut = recorder.getfsstat().find(({ on }) => on.startsWith(NAMES))?.on ?? '';
    replay.check(
      `${name}: unmount by the name in the table`,
      () => attemptDone(() => recorder.unmount(cut)),
      (row) => assert.equal(cut.length, row.length, name),
    );
    call(`${name}: unmount by its path`, () => recorder.unmount(path));
  }
  table('names: all are gone', NAMES);
  replayStacking(replay, recorder, call, table);
  replayCovering(replay, recorder, call, table);
}

function replayStacking(
  replay: Replay,
  recorder: ModelProcess,
  call: (name: string, make: () => unknown) => void,
  table: (name: string, below: string) => void,
): void {
  const mount = (by: ModelProcess, type: string, at: string) => () =>
    by.mount(type, `${ROOT}/${at}`, 0, type === 'null' ? `${ROOT}/src` : null);
  const stack = (what: string, type: string, at: string) =>
    call(`stacking: ${what}`, mount(recorder, type, at));
  stack('procfs', 'procfs', 'proc');
  stack('tmpfs on it', 'tmpfs', 'proc');
  stack('procfs on it', 'procfs', 'proc');
  stack('nullfs on it', 'null', 'proc');
  stack('devfs', 'devfs', 'dev');
  stack('devfs on it', 'devfs', 'dev');
  stack('tmpfs on a folder in it', 'tmpfs', 'dev/fd');
  const jail = recorder.fork();
  replay.check('stacking: jail', () => attempt(() => jailBy(jail, 'stack', '/')));
  for (const node of ['vfs_mount_tmpfs', 'vfs_mount_nullfs']) {
    recorder.sysctl(`jail.${jail.jid}.${node}`, { value: encodeInt(1) });
  }
  call('stacking: the jail, tmpfs on the procfs', mount(jail, 'tmpfs', 'proc'));
  call('stacking: the jail, nullfs on the devfs', mount(jail, 'null', 'dev'));
  endChild(recorder, jail);
  stack('tmpfs', 'tmpfs', 't');
  stack('tmpfs on tmpfs', 'tmpfs', 't');
  stack('nullfs on tmpfs', 'null', 't');
  stack('nullfs on nullfs', 'null', 't');
  table('stacking: getfsstat', ROOT);
  for (let round = 0; round < 5; round++) {
    call('stacking: unmount /t', () => recorder.unmount(`${ROOT}/t`));
  }
  for (const name of ['proc', 'dev']) {
    call(`stacking: unmount /${name}`, () => recorder.unmount(`${ROOT}/${name}`));
  }
  table('stacking: getfsstat then', ROOT);
}

// An inmate mounts on the root of the jail: that of whoever is inside moves there, that of the jail does not.
function replayCovering(
  replay: Replay,
  recorder: ModelProcess,
  call: (name: string, make: () => unknown) => void,
  table: (name: string, below: string) => void,
): void {
  const mounter = recorder.fork();
  replay.check('covering: jail', () => attempt(() => jailBy(mounter, 'cover', ROOT)));
  mounter.chdir('/');
  recorder.sysctl(`jail.${mounter.jid}.vfs_mount_tmpfs`, { value: encodeInt(1) });
  call('covering: tmpfs on its root', () => mounter.mount('tmpfs', '/'));
  call('covering: the mounter looks for what is covered', () => mounter.stat('/src'));
  call('covering: tmpfs on its root again', () => mounter.mount('tmpfs', '/'));
  const visitor = recorder.fork();
  visitor.jailAttach(mounter.jid);
  visitor.chdir('/');
  call('covering: one who enters looks for what is covered', () => visitor.stat('/src'));
  call('covering: one who enters, tmpfs on the root', () => visitor.mount('tmpfs', '/'));
  table('covering: getfsstat', ROOT);
  for (const process of [visitor, mounter]) endChild(recorder, process);
  replay.checkList('covering: nobody is left', recorder);
  for (let round = 0; round < 4; round++) {
    call('covering: unmount', () => recorder.unmount(ROOT));
  }
  table('covering: getfsstat then', ROOT);
  replay.checkList('covering: unmounted', recorder);
}
