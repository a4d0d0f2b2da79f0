import assert from 'node:assert/strict';
import { KernelError, ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import {
  attempt,
  attemptDone,
  bootRecorder,
  endChild,
  furnish,
  jailBy,
  ROOT_INODE,
} from '../recordings.js';
import type { Replay } from './replay.js';

/** A kernel with the recorder's files, and the recorder. */
export function furnished(): { kernel: ModelKernel; recorder: ModelProcess } {
  const kernel = new ModelKernel({ rootInode: ROOT_INODE });
  const recorder = bootRecorder(kernel);
  furnish(recorder);
  return { kernel, recorder };
}

/** A child in a new jail. */
export function jailedChild(
  parent: ModelProcess,
  hostname: string,
  path = '/jail',
  addresses: readonly string[] = [],
): ModelProcess {
  const child = parent.fork();
  jailBy(child, hostname, path, addresses);
  return child;
}

/** The group `list-order`: who sees which jails, in which order. */
export function replayListOrder(replay: Replay): void {
  const { recorder } = furnished();
  const one = replayCreation(replay, recorder, '1 jail', 'one', '/jail', ['10.0.0.1']);
  const v6 = ['10.0.0.1', '10.0.0.2', 'fd00::1'];
  const two = replayCreation(replay, recorder, '2 jails', 'two two', '/tmp', v6);
  const three = replayCreation(replay, recorder, '3 jails', 'three', '/tmp/a b c', []);
  replayBuffers(replay, recorder);
  endChild(recorder, two);
  replay.checkList('middle ended', recorder);
  const four = replayCreation(replay, recorder, 'new one after', 'two two', '/tmp', v6);
  endChild(recorder, one);
  endChild(recorder, three);
  replayViewers(replay, recorder);
  endChild(recorder, four);
  replayMovedRoots(replay, recorder);
}

function replayCreation(
  replay: Replay,
  recorder: ModelProcess,
  name: string,
  hostname: string,
  path: string,
  addresses: readonly string[],
): ModelProcess {
  const child = recorder.fork();
  replay.check(
    name,
    () => attempt(() => jailBy(child, hostname, path, addresses)),
    (row) => replay.listAgrees(row, recorder),
  );
  return child;
}

function replayBuffers(replay: Replay, recorder: ModelProcess): void {
  for (const [room, size] of [
    [64, 64],
    [5, 16],
  ] as const) {
    const buffer = Buffer.alloc(size, '#');
    replay.check(
      `short buffer ${room}`,
      () =>
        attempt(() => {
          try {
            recorder.sysctl('jail.list', { room });
          } catch (error) {
            if (error instanceof KernelError) buffer.set(error.partial ?? []);
            throw error;
          }
        }),
      (row) => assert.equal(buffer.toString(), row.buf),
    );
  }
  for (const name of ['size probe NULL', 'size probe NULL oldlen=4096']) {
    let length = 0;
    replay.check(
      name,
      () =>
        attemptDone(() => {
          length = recorder.sysctl('jail.list', { room: null }).length;
        }),
      (row) => assert.equal(length, row.oldlen),
    );
  }
  replay.check('write', () =>
    attemptDone(() => recorder.sysctl('jail.list', { value: Buffer.from('x') })),
  );
}

function replayViewers(replay: Replay, recorder: ModelProcess): void {
  const viewer = recorder.fork();
  viewer.chroot('/tmp');
  replay.checkList('viewer chrooted in /tmp', viewer);
  const elsewhere = recorder.fork();
  elsewhere.chroot('/jail');
  replay.checkList('viewer chrooted in /jail (jail is /tmp)', elsewhere);
  const user = recorder.fork();
  user.setuid(1001);
  replay.checkList('viewer uid 1001', user);
  for (const child of [elsewhere, user]) endChild(recorder, child);
  replayChrootedCreator(replay, recorder, 'inchroot', 'seen from chroot', viewer);
  replayChrootedCreator(replay, recorder, 'inchroot2', 'seen from host', recorder);
  endChild(recorder, viewer);
}

function replayChrootedCreator(
  replay: Replay,
  recorder: ModelProcess,
  hostname: string,
  seen: string,
  viewer: ModelProcess,
): void {
  const creator = recorder.fork();
  creator.chroot('/tmp');
  replay.check(
    `created from chroot /tmp path /d, ${seen}`,
    () => attempt(() => jailBy(creator, hostname, '/d')),
    (row) => replay.listAgrees(row, viewer),
  );
  endChild(recorder, creator);
}

function replayMovedRoots(replay: Replay, recorder: ModelProcess): void {
  recorder.create('/tmp/ren1', 'directory');
  const moved = jailedChild(recorder, 'ren', '/tmp/ren1');
  recorder.rename('/tmp/ren1', '/tmp/ren2');
  replay.checkList('root renamed ren1->ren2', recorder);
  recorder.rmdir('/tmp/ren2');
  replay.checkList('root removed', recorder);
  const other = jailedChild(recorder, 'other');
  replay.checkList('root removed + another jail', recorder);
  for (const child of [moved, other]) endChild(recorder, child);
  replay.checkList('end', recorder);
}
