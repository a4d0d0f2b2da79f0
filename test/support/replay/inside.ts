import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, bootRecorder, endChild, type Row } from '../recordings.js';
import { furnished, jailedChild } from './lists.js';
import type { Replay } from './replay.js';

const S = layout59.signals;
const { SIGTERM = 15, SIGKILL = 9, SIGUSR1 = 30 } = S;

/**
 * The group `hostname`, of a kernel with one processor and of one with two: there nothing could be asked any more after
 * a refusal, which the recording says by its end.
 */
export function replayHostname(replay: Replay): void {
  const kernel = new ModelKernel();
  const recorder = bootRecorder(kernel);
  replayAllowed(replay, recorder);
  replay.check('now cap=0 (may hang: sysctl lock leak)', () => attempt(() => 0));
  replayDenied(replay, recorder);
  replay.check('host own hostname', () => attempt(() => 0), told(recorder));
  replay.check('host sethostname afterwards', () => set(recorder, 'host.test'));
}

function set(process: ModelProcess, hostname: string) {
  return attemptDone(() => process.sethostname(hostname));
}

function told(process: ModelProcess) {
  return (row: Row) => assert.equal(process.gethostname(), row.v);
}

function replayAllowed(replay: Replay, recorder: ModelProcess): void {
  const inside = jailedChild(recorder, 'orig.example', '/');
  recorder.sysctl(`jail.${inside.jid}.sys_set_hostname`, { value: encodeInt(1) });
  replay.check('inside gethostname', () => attempt(() => 0), told(inside));
  replay.check('inside sethostname cap=1', () => set(inside, 'newname.example'));
  replay.check('after', () => attempt(() => 0), told(inside));
  for (const length of [255, 256, 257]) {
    replay.check(`sethostname ${length}`, () => set(inside, 'x'.repeat(length)));
  }
  replay.check(
    'after long',
    () => attempt(() => 0),
    (row) => assert.equal(inside.gethostname().length, row.len),
  );
  replay.check('sethostname empty', () => set(inside, ''));
  replay.check('after empty', () => attempt(() => 0), told(inside));
  replay.check('sethostname final', () => set(inside, 'final'));
  const user = inside.fork();
  user.setuid(1001);
  replay.check('uid1001 sethostname cap=1', () => set(user, 'user.example'));
  replay.checkList('host view', recorder);
  replay.check('host own hostname', () => attempt(() => 0), told(recorder));
  endChild(inside, user);
  endChild(recorder, inside);
}

function replayDenied(replay: Replay, recorder: ModelProcess): void {
  const inside = jailedChild(recorder, 'orig.example', '/');
  replay.check('inside gethostname', () => attempt(() => 0), told(inside));
  const user = inside.fork();
  user.setuid(1001);
  replay.check('inside uid1001 sethostname cap=0', () => set(user, 'user.example'));
  replay.check('inside sethostname cap=0', () => set(inside, 'denied.example'));
  replay.check('after denied', () => attempt(() => 0), told(inside));
  replay.checkList('host view cap=0', recorder);
}

/** The group `signals`: nothing from a jail reaches anything outside. */
export function replaySignals(replay: Replay): void {
  const { recorder } = furnished();
  const holders = ['a', 'b'].map((name) => jailedChild(recorder, name));
  const [a, b] = holders;
  assert.ok(a !== undefined && b !== undefined);
  const pause = recorder.fork();
  pause.setpgid();
  const inside = recorder.fork();
  inside.jailAttach(a.jid);
  const kills: [string, number, number][] = [
    ["inside a: kill(-1,SIGTERM) (3 procs: a's holder, host pause, b's holder)", -1, SIGTERM],
    ['inside a: kill(host,SIGKILL)', pause.pid, SIGKILL],
    ['inside a: kill(0,0)', 0, 0],
    ['inside a: kill(-pgrp,0) pgrp shared with host procs', -inside.entry.pgid, 0],
    ['inside a: killpg(h)', -pause.pid, 0],
    ['inside a: kill(1,SIGKILL)', 1, SIGKILL],
    ['inside a: kill(b holder,SIGTERM)', b.pid, SIGTERM],
  ];
  for (const [name, pid, signal] of kills) {
    replay.check(name, () => attemptDone(() => inside.kill(pid, signal)));
  }
  endChild(recorder, inside);
  replayWaits(replay, recorder, { 'a holder': a, 'b holder': b, 'host pause': pause });
  replay.checkList('list', recorder);
  const mate = recorder.fork();
  const again = recorder.fork();
  again.jailAttach(b.jid);
  replay.check('jailed kill(0,SIGUSR1), pgrp shared with host procs', () => {
    again.entry.handler = () => true; // it ignores what it sends to itself
    return attemptDone(() => again.kill(0, SIGUSR1));
  });
  replayWaits(replay, recorder, {
    'host member of same pgrp was killed by jailed kill(0)': mate,
  });
}

function replayWaits(
  replay: Replay,
  recorder: ModelProcess,
  children: Readonly<Record<string, ModelProcess>>,
): void {
  for (const [name, child] of Object.entries(children)) {
    const waited = recorder.wait(child.pid);
    replay.check(
      name,
      () => attempt(() => (waited === null ? 0 : 1)),
      (row) => assert.equal(waited?.status ?? -1, row.status, name),
    );
  }
}

/** The group `uids`: what other users may do, in a jail and outside. */
export function replayUids(replay: Replay): void {
  const { kernel, recorder } = furnished();
  kernel.network.interfaces.get('lo0')?.addresses.push('10.0.0.1', '10.0.0.2');
  const inside = jailedChild(recorder, 'uid', '/', ['10.0.0.1']);
  const mate = inside.fork();
  const user = inside.fork();
  user.setuid(1001);
  replayUser(replay, 'jailed', user);
  replay.check('jailed uid1001 setuid(0)', () => attemptDone(() => user.setuid(0)));
  const outside = recorder.fork();
  outside.setuid(1001);
  replayUser(replay, 'host', outside);
  replay.check('host uid1001 kill(1,0)', () => attemptDone(() => outside.kill(1, 0)));
  replay.check('host uid1001 sethostname', () => set(outside, 'user.example'));
  recorder.create('/tmp/sock', 'socket');
  replay.check("jailed connect to a host's unix socket visible in its root", () =>
    attemptDone(() => inside.connectPath(inside.socket(layout59.families.unix, 1), '/tmp/sock')),
  );
  replay.check('same jail: uid1001 kill(root proc,0)', () =>
    attemptDone(() => user.kill(inside.pid, 0)),
  );
  replay.check('same jail: root ptrace attach', () =>
    attemptDone(() => inside.ptraceAttach(mate.pid)),
  );
}

function replayUser(replay: Replay, where: 'jailed' | 'host', user: ModelProcess): void {
  const { inet } = layout59.families;
  const bind = (address: string, port: number) =>
    attemptDone(() => user.bind(user.socket(inet, 1), { family: 'inet', address, port }));
  replay.check(`${where} uid1001 bind 10.0.0.1:81`, () => bind('10.0.0.1', 81));
  if (where === 'jailed') {
    replay.check('jailed uid1001 bind 10.0.0.2:8181', () => bind('10.0.0.2', 8181));
  }
  replay.check(`${where} uid1001 chroot`, () => attemptDone(() => user.chroot('/tmp')));
  replay.check(`${where} uid1001 raw icmp`, () => attemptDone(() => user.socket(inet, 3, 1)));
}
