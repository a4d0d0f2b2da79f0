import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import type { ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy } from '../recordings.js';
import { furnished, jailedChild } from './lists.js';
import type { Replay } from './replay.js';

const { SIGKILL = 9 } = layout59.signals;
const KERN_PROC_PID = [1, 14, 1];

/** The group `lifetime`: what keeps a jail alive. */
export function replayLifetime(replay: Replay): void {
  const { recorder } = furnished();
  replay.checkList('start', recorder);
  replayZombie(replay, recorder);
  replayProcesses(replay, recorder);
  replayDescriptors(replay, recorder);
  replayNumbers(replay, recorder);
  replayWaiting(replay, recorder);
}

function replayZombie(replay: Replay, recorder: ModelProcess): void {
  const zombie = jailedChild(recorder, 'zombie');
  const { jid } = zombie;
  zombie.exit(0);
  replay.checkList('child exited, not reaped (zombie)', recorder);
  let length = -1;
  replay.check(
    'kinfo of zombie',
    () =>
      attemptDone(() => {
        length = recorder.sysctlMib([...KERN_PROC_PID, zombie.pid]).length;
      }),
    (row) => assert.equal(length, row.len),
  );
  const visitor = recorder.fork();
  replay.check('attach to jail held only by zombie', () =>
    attemptDone(() => visitor.jailAttach(jid)),
  );
  endChild(recorder, visitor);
  recorder.wait(zombie.pid);
  replay.checkList('zombie reaped', recorder);
  replay.checkList('zombie reaped +300ms', recorder);
}

function replayProcesses(replay: Replay, recorder: ModelProcess): void {
  const creator = jailedChild(recorder, 'two');
  const grandchild = creator.fork();
  endChild(recorder, creator);
  replay.checkList('creator gone, grandchild alive', recorder);
  recorder.kill(grandchild.pid, SIGKILL);
  replay.checkList('grandchild killed (reaped by init)', recorder);
  const other = jailedChild(recorder, 'life');
  const attached = recorder.fork();
  attached.jailAttach(other.jid);
  endChild(recorder, other);
  replay.checkList('creator gone, attached process alive', recorder);
  endChild(recorder, attached);
  replay.checkList('attached gone', recorder);
}

function replayDescriptors(replay: Replay, recorder: ModelProcess): void {
  const opener = jailedChild(recorder, 'fdpass');
  const { jid } = opener;
  const directory = recorder.receive(opener, opener.open('/'));
  endChild(recorder, opener);
  replay.checkList('all procs gone, host holds a directory fd opened in jail', recorder);
  // A directory in one's hands is in nobody's way: only who enters must have none.
  const visitor = recorder.fork();
  replay.check('attach to jail held only by an open file', () =>
    attemptDone(() => visitor.jailAttach(jid)),
  );
  endChild(recorder, visitor);
  recorder.close(directory);
  replay.checkList('fd closed', recorder);
  const caller = jailedChild(recorder, 'sockpass');
  const socket = recorder.receive(caller, caller.socket(layout59.families.inet, 2));
  endChild(recorder, caller);
  replay.checkList('all procs gone, host holds a socket created in jail', recorder);
  recorder.close(socket);
  replay.checkList('socket closed', recorder);
}

function replayNumbers(replay: Replay, recorder: ModelProcess): void {
  // As many as the recording tells of.
  for (const { case: name } of replay.left) {
    if (name !== 'sequential id') continue;
    replay.check(name, () => attempt(() => briefJail(recorder)));
  }
  const three = ['life', 'life', 'life'].map((name) => jailedChild(recorder, name));
  const [first, second, third] = three.map(({ jid }) => jid);
  replay.check(
    'three',
    () => attempt(() => first ?? -1),
    (row) => {
      replay.numbers.same('jid', row.b, second, row.case);
      replay.numbers.same('jid', row.c, third, row.case);
    },
  );
  const [a, b, c] = three;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  endChild(recorder, c);
  const fourth = replayCreation(replay, recorder, 'after last died');
  endChild(recorder, a);
  const fifth = replayCreation(replay, recorder, 'after first died');
  for (const child of [b, fourth, fifth]) endChild(recorder, child);
  let last = 0;
  replay.check('50 more', () => {
    for (let index = 0; index < 50; index++) last = briefJail(recorder);
    return { ret: last, err: '0' };
  });
  const crowd = Array.from({ length: 60 }, () => jailedChild(recorder, 'life'));
  replay.checkList('60 at once', recorder);
  for (const child of crowd) endChild(recorder, child);
}

function briefJail(recorder: ModelProcess): number {
  const child = jailedChild(recorder, 'life');
  const { jid } = child;
  endChild(recorder, child);
  return jid;
}

function replayCreation(replay: Replay, recorder: ModelProcess, name: string): ModelProcess {
  const child = recorder.fork();
  replay.check(
    name,
    () => attempt(() => jailBy(child, 'life')),
    (row) => replay.listAgrees(row, recorder),
  );
  return child;
}

function replayWaiting(replay: Replay, recorder: ModelProcess): void {
  const jailed = jailedChild(recorder, 'wait');
  const free = recorder.fork();
  const { jid } = jailed;
  jailed.exit(3);
  free.exit(4);
  const waits = [
    ['waitid(P_JAILID, no such jail) two zombies: one jailed, one not', 9999],
    ['waitid(P_JAILID, jid)', jid],
  ] as const;
  for (const [name, about] of waits) {
    let pid = 0;
    let status = 0;
    replay.check(
      name,
      () =>
        attemptDone(() => {
          const waited = recorder.waitJail(about);
          pid = waited?.pid ?? 0;
          status = (waited?.status ?? 0) >> 8;
        }),
      (row) => {
        const shown = [Number(pid === jailed.pid), Number(pid === free.pid), status];
        const { si_pid_is_jailed, si_pid_is_unjailed, si_status } = row;
        assert.deepEqual(shown, [si_pid_is_jailed, si_pid_is_unjailed, si_status], name);
      },
    );
  }
}

/** The group `jid-wrap`: the nodes of jails with larger numbers. */
export function replayJidWrap(replay: Replay): void {
  const { recorder } = furnished();
  let count = 0;
  for (const row of replay.left) {
    if (row.case !== 'id') continue;
    while (count < row.ret - 1) {
      briefJail(recorder);
      count++;
    }
    const child = recorder.fork();
    replay.check(
      'id',
      () => attempt(() => jailBy(child, 'life')),
      ({ sysctl, sysctl_ret }) => {
        assert.equal(attemptDone(() => recorder.sysctl(String(sysctl))).ret, sysctl_ret);
      },
    );
    count++;
    endChild(recorder, child);
  }
  replay.skip('1200 jails created sequentially', 'how long it took on that machine');
}
