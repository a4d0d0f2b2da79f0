import assert from 'node:assert/strict';
import { decodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import { attempt, attemptDone, jailBy, type Row } from '../recordings.js';
import { furnished } from './lists.js';
import type { Replay } from './replay.js';

/**
 * The group `threads`: jail(2) takes all threads of its caller along. Processes of the model have one credential and one
 * root, whichever thread calls, so both are asked here.
 */
export function replayThreads(replay: Replay): void {
  const { recorder } = furnished();
  recorder.sethostname('host.test');
  const process = recorder.fork();
  const [one] = process.entry.threads;
  const thread = { name: 'rec', running: false, waitsFor: 'umtx' };
  process.entry.threads = [one ?? { tid: 1, ...thread }, { tid: 2, ...thread }];
  const jailed = () => attempt(() => decodeInt(process.sysctl('jail.jailed').bytes));
  const around = (row: Row) => {
    if (row.hostname !== undefined) assert.equal(process.gethostname(), row.hostname, row.case);
    const [ours, recorded] = [process.stat('/').inode, row.root_ino];
    if (recorded !== undefined) replay.numbers.same('file', recorded, ours, row.case);
  };
  replay.check('thread 2 before jail()', jailed, around);
  replay.check('thread 1 jail() in 2-thread process', () =>
    attempt(() => jailBy(process, 'thr', '/tmp/d')),
  );
  replay.check('thread 2 after thread 1 called jail()', jailed, around);
  replay.check('thread 2: kill(1,0)', () => attemptDone(() => process.kill(1, 0)));
  replay.check('thread 1', jailed, around);
}
