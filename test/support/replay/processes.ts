import assert from 'node:assert/strict';
import { decodeProcesses, type KernelProcess } from '#internal/backends/dragonfly/kinfo.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { KernelError, ModelKernel, type ModelProcess } from '#internal/backends/model/index.js';
import {
  attempt,
  attemptDone,
  bootRecorder,
  endChild,
  furnish,
  jailBy,
  ROOT_INODE,
  type Row,
} from '../recordings.js';
import type { Correspondence } from './correspondence.js';
import type { Replay } from './replay.js';

const { size } = layout59.structs.kinfoProc;
const KERN_PROC = [1, 14];
const ALL = 0;
const PID = 1;
const PGRP = 2;
const LWP = 0x10;

/** A process as the recordings tell it. */
interface RecordedProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly uid: number;
  readonly jid: number;
  readonly stat: number;
  readonly flags: string;
  readonly comm: string;
}

function asRecorded(process: KernelProcess): RecordedProcess {
  const { pid, ppid, pgid, sid, uid, jid, state, flags, command } = process;
  return { pid, ppid, pgid, sid, uid, jid, stat: state, flags: hexOf(flags), comm: command };
}

function hexOf(flags: number): string {
  return `0x${flags.toString(16)}`;
}

/** Decodes the raw record of a case. */
export function rawProcess(row: Row): KernelProcess {
  const [decoded, ...others] = decodeProcesses(Buffer.from(String(row.hex), 'hex'), layout59);
  assert.ok(decoded !== undefined && others.length === 0);
  return decoded;
}

/** `kern.proc` into a buffer of the recorder's. */
function read(process: ModelProcess, mib: readonly number[], room?: number | null) {
  return process.sysctlMib([...KERN_PROC, ...mib], room === undefined ? {} : { room });
}

// What both records, the real one and the model's, must have in common.
function sameProcess(numbers: Correspondence, real: KernelProcess, model: KernelProcess): void {
  const part = ({ uid, ruid, gid, rgid, ...rest }: KernelProcess) => {
    const { command, state, flags, exitStatus, threads, terminal, login, tid, threadName } = rest;
    const who = { uid, ruid, gid, rgid };
    return { ...who, command, state, flags, exitStatus, threads, terminal, login, tid, threadName };
  };
  assert.deepEqual(part(model), part(real));
  sameNumbers(numbers, real, model, 'record');
}

/** The numbers by which a process is known. */
type Known = Pick<RecordedProcess, 'pid' | 'ppid' | 'pgid' | 'sid' | 'jid'>;

function sameNumbers(numbers: Correspondence, real: Known, model: Known, where: string): void {
  for (const name of ['pid', 'ppid', 'pgid', 'sid'] as const) {
    samePid(numbers, real[name], model[name], where);
  }
  if (real.jid === 0 || model.jid === 0) assert.equal(model.jid, real.jid, where);
  else numbers.same('jid', real.jid, model.jid, where);
}

// The kernel itself and init have the same number everywhere.
function samePid(numbers: Correspondence, real: unknown, model: number, where: string): void {
  if (model <= 1) assert.equal(model, real, where);
  else numbers.same('pid', real, model, where);
}

function sameListing(
  numbers: Correspondence,
  real: readonly RecordedProcess[],
  model: readonly RecordedProcess[],
  where: string,
): void {
  const plain = ({ uid, stat, flags, comm }: RecordedProcess) => ({ uid, stat, flags, comm });
  assert.deepEqual(model.map(plain), real.map(plain), where);
  for (const [index, process] of real.entries()) {
    const ours = model[index];
    if (ours !== undefined) sameNumbers(numbers, process, ours, where);
  }
}

/** The group `kinfo`: who sees which processes, and what of them. */
export function replayKinfo(replay: Replay): void {
  const kernel = new ModelKernel({
    rootInode: ROOT_INODE,
    kernelThreads: recordedThreads(replay.left),
  });
  const recorder = bootRecorder(kernel);
  furnish(recorder);
  replaySelf(replay, recorder);
  // Left out of the recording: something made the recorder's own user change, and there is a process in its own group.
  recorder.setuid(0);
  const pause = recorder.fork();
  pause.setpgid();
  const other = recorder.fork();
  jailBy(other, 'other');
  const inside = recorder.fork();
  jailBy(inside, 'inside');
  const mate = inside.fork();
  mate.setgid(7); // as its raw record has it
  const world = { recorder, pause, other, inside, mate };
  replayInsideListings(replay, world);
  replayInsideKills(replay, world);
  replayInsideRest(replay, world);
  replayFromHost(replay, world);
}

interface World {
  readonly recorder: ModelProcess;
  readonly pause: ModelProcess;
  readonly other: ModelProcess;
  readonly inside: ModelProcess;
  readonly mate: ModelProcess;
}

// Which threads that kernel had is told by its listings, or by how many records it had room for.
function recordedThreads(rows: readonly Row[]): { name: string; idle: boolean }[] {
  const listing = rows.find((row) => /^host.*: ALL$/.test(row.case));
  if (listing !== undefined) {
    return (listing.procs as readonly RecordedProcess[])
      .filter(({ pid }) => pid === -1)
      .map(({ comm, stat }) => ({ name: comm, idle: stat === 1 }));
  }
  const probe = rows.find((row) => row.case === 'ALL probe');
  const count = Number(probe?.len ?? 0) / size - PROBE_SLACK - OWN_PROCESSES;
  return Array.from({ length: Math.max(0, count) }, () => ({ name: 'thread', idle: false }));
}

/** Room for more, and the processes that there were: swapper, init, a shell and the recorder. */
const PROBE_SLACK = 5;
const OWN_PROCESSES = 4;

function replaySelf(replay: Replay, recorder: ModelProcess): void {
  const self = [PID, recorder.pid];
  replay.check(
    'self raw',
    () => attemptDone(() => read(recorder, self)),
    (row) => {
      const [model] = decodeProcesses(read(recorder, self).bytes, layout59);
      assert.ok(model !== undefined);
      assert.equal(size, row.sizeof);
      sameProcess(replay.numbers, rawProcess(row), model);
    },
  );
  replay.check('self short buffer 100', () => attemptDone(() => read(recorder, self, 100)));
  const lengths = { 'self size probe': self, 'PID nonexistent': [PID, 77_777] };
  for (const [name, mib] of Object.entries(lengths)) replayLength(replay, recorder, name, mib);
  replay.check('PID op with 3-level mib', () => attemptDone(() => read(recorder, [PID])));
  replayLength(replay, recorder, 'ALL probe', [ALL], null);
  let partial: Uint8Array = new Uint8Array(0);
  replay.check(
    'ALL into 1-entry buffer',
    () =>
      attempt(() => {
        try {
          read(recorder, [ALL], size);
        } catch (error) {
          if (error instanceof KernelError) partial = error.partial ?? partial;
          throw error;
        }
      }),
    (row) => {
      const [first] = decodeProcesses(partial, layout59);
      assert.deepEqual([partial.length, first?.pid], [row.len, row.first_pid]);
    },
  );
}

function replayLength(
  replay: Replay,
  process: ModelProcess,
  name: string,
  mib: readonly number[],
  room?: null,
): void {
  let length = 0;
  replay.check(
    name,
    () =>
      attemptDone(() => {
        length = read(process, mib, room).length;
      }),
    (row) => assert.equal(length, row.len, name),
  );
}

// What a listing shows, and what asking for its length alone says.
function replayListing(
  replay: Replay,
  process: ModelProcess,
  name: string,
  mib: readonly number[],
) {
  let shown: KernelProcess[] = [];
  let probe = -1;
  replay.check(
    name,
    () =>
      attemptDone(() => {
        probe = read(process, mib, null).length;
        shown = decodeProcesses(read(process, mib).bytes, layout59);
      }),
    (row) => {
      const lengths = [probe, shown.length * size, 0];
      assert.deepEqual(lengths, [row.probe_len, row.len, row.rem], name);
      const recorded = row.procs as readonly RecordedProcess[];
      sameListing(replay.numbers, recorded, shown.map(asRecorded), name);
    },
  );
}

function replayInsideListings(replay: Replay, { inside, pause, other, mate }: World): void {
  const listings: [string, number[]][] = [
    ['ALL', [ALL]],
    ['PID self', [PID, inside.pid]],
    ['PID host proc', [PID, pause.pid]],
    ['PID init', [PID, 1]],
    ['PID other jail', [PID, other.pid]],
    ['PID mate', [PID, mate.pid]],
    ['UID 0', [5, 0]],
    ['RUID 0', [6, 0]],
    ['PGRP own', [PGRP, 2]],
    ['SESSION', [3, 2]],
    ['PID nonexist', [PID, 77_777]],
  ];
  for (const [name, mib] of listings) replayListing(replay, inside, `inside: ${name}`, mib);
}

function replayInsideKills(replay: Replay, { inside, pause, other, mate, recorder }: World): void {
  const kills: [string, number][] = [
    ['host proc', pause.pid],
    ['init', 1],
    ['other jail proc', other.pid],
    ['mate', mate.pid],
    ['self', inside.pid],
    ['parent (outside)', recorder.pid],
    ['nonexistent', 77_777],
    ['pgrp of host', -pause.pid],
  ];
  for (const [name, pid] of kills) {
    replay.check(`inside root: kill(${name},0)`, () => attemptDone(() => inside.kill(pid, 0)));
  }
}

function replayInsideRest(replay: Replay, { inside, pause, mate }: World): void {
  replay.check('inside: getppid', () => attempt(() => inside.entry.parent?.pid ?? -1));
  replay.check('inside: getpriority(host)', () => attempt(() => inside.getpriority(pause.pid)));
  replay.check('inside: setpriority(host)', () =>
    attemptDone(() => inside.setpriority(pause.pid, 5)),
  );
  replay.check('inside root: setpriority(self,-5)', () =>
    attemptDone(() => inside.setpriority(0, -5)),
  );
  replay.check('inside: getsid(host)', () => attempt(() => inside.getsid(pause.pid)));
  replay.check('inside: getpgid(host)', () => attempt(() => inside.getpgid(pause.pid)));
  replay.check('inside: ptrace(PT_ATTACH, host)', () =>
    attemptDone(() => inside.ptraceAttach(pause.pid)),
  );
  replay.check('inside: setpgid(0,0)', () => attemptDone(() => inside.setpgid()));
  replay.check('inside: sched_getscheduler(host)', () =>
    attempt(() => inside.schedGetscheduler(pause.pid)),
  );
  replay.check('inside: kill(-1,0)', () => attemptDone(() => inside.kill(-1, 0)));
  replayDetail(replay, inside, 'inside: KERN_PROC_ARGS host', [7, pause.pid]);
  replayDetail(replay, inside, 'inside: KERN_PROC_ARGS mate', [7, mate.pid]);
  replay.check('inside: KERN_PROC_CWD mate', () => attemptDone(() => read(inside, [8, mate.pid])));
  replayDetail(replay, inside, 'inside: KERN_PROC_CWD host', [8, pause.pid]);
  const user = inside.fork();
  user.setuid(1001);
  for (const [name, pid] of [
    ['mate root', mate.pid],
    ['host', pause.pid],
  ] as const) {
    replay.check(`inside uid1001: kill(${name},0)`, () => attemptDone(() => user.kill(pid, 0)));
  }
  replayListing(replay, user, 'inside uid1001: ALL', [ALL]);
  endChild(inside, user);
}

function replayDetail(replay: Replay, process: ModelProcess, name: string, mib: number[]): void {
  let bytes: Uint8Array = new Uint8Array(0);
  replay.check(
    name,
    () =>
      attemptDone(() => {
        bytes = read(process, mib).bytes;
      }),
    (row) => {
      assert.equal(bytes.length, row.len, name);
      if (row.v !== undefined) assert.equal(Buffer.from(bytes).toString(), row.v, name);
    },
  );
}

function replayFromHost(replay: Replay, { recorder, inside, mate }: World): void {
  replayListing(replay, recorder, 'host: ALL', [ALL]);
  replayListing(replay, recorder, 'host: PID jailed', [PID, mate.pid]);
  replay.check(
    'jailed raw (host view)',
    () => attemptDone(() => read(recorder, [PID, mate.pid])),
    (row) => {
      const [model] = decodeProcesses(read(recorder, [PID, mate.pid]).bytes, layout59);
      assert.ok(model !== undefined);
      replay.numbers.same('jid', row.jid, model.jid, row.case);
      sameProcess(replay.numbers, rawProcess(row), model);
    },
  );
  replay.check('host root: kill(jailed,0)', () => attemptDone(() => recorder.kill(inside.pid, 0)));
  const user = recorder.fork();
  user.setuid(1001);
  replay.check('host uid1001: kill(jailed root,0)', () =>
    attemptDone(() => user.kill(inside.pid, 0)),
  );
  replayListing(replay, user, 'host uid1001: ALL', [ALL]);
  for (const name of ['kern.ps_showallprocs', 'kern.ps_showallthreads']) {
    replay.check(name, () => attemptDone(() => recorder.sysctl(name)));
  }
}

/** The group `lwp`: a record for each thread. */
export function replayLwp(replay: Replay): void {
  const recorder = bootRecorder(new ModelKernel());
  const sleeping = { name: 'rec', running: false, waitsFor: 'nanslp' };
  recorder.entry.threads = [
    { tid: 1, name: 'rec', running: true, waitsFor: '' },
    { tid: 2, ...sleeping },
    { tid: 3, ...sleeping },
  ];
  let bytes: Uint8Array = new Uint8Array(0);
  replay.check(
    'PID|LWP of 3-thread process',
    () =>
      attemptDone(() => {
        bytes = read(recorder, [PID | LWP, recorder.pid]).bytes;
      }),
    (row) => {
      assert.equal(bytes.length, row.len);
      const recorded = row.e as readonly { readonly pid: number }[];
      const threads = decodeProcesses(bytes, layout59).map((thread, index) => ({
        pid: recorded[index]?.pid,
        tid: thread.tid,
        lstat: thread.threadState,
        nthreads: thread.threads,
        wmesg: thread.waitsFor,
        comm: thread.command,
        kl_comm: thread.threadName,
      }));
      assert.deepEqual(threads, recorded);
      for (const { pid } of recorded) samePid(replay.numbers, pid, recorder.pid, row.case);
    },
  );
  replay.check(
    'PID without LWP flag',
    () =>
      attemptDone(() => {
        bytes = read(recorder, [PID, recorder.pid]).bytes;
      }),
    (row) => {
      const [summed] = decodeProcesses(bytes, layout59);
      assert.deepEqual(
        [bytes.length, summed?.tid, summed?.threads],
        [row.len, row.tid, row.nthreads],
      );
    },
  );
}

/** The group `zombie`: what is left of a process until it is reaped. */
export function replayZombie(replay: Replay): void {
  const recorder = bootRecorder(new ModelKernel());
  recorder.create('/jail', 'directory');
  const jailed = recorder.fork();
  jailed.setpgid();
  jailBy(jailed, 'zombie');
  const { jid } = jailed;
  const plain = recorder.fork();
  jailed.exit(5);
  plain.exit(6);
  replayZombieRecord(replay, recorder, 'ALL: jailed zombie', jailed.pid);
  replayZombieRecord(replay, recorder, 'ALL: plain zombie', plain.pid);
  replay.check('zombies found in ALL', () =>
    attempt(() => everybody(recorder).filter(({ state }) => state === 4).length),
  );
  replayLength(replay, recorder, 'PID zombie', [PID, jailed.pid]);
  replayLength(replay, recorder, 'PGRP of zombie', [PGRP, jailed.pid]);
  replay.check('kill(zombie,0)', () => attemptDone(() => recorder.kill(jailed.pid, 0)));
  const visitor = recorder.fork();
  replay.check('attach', () => attemptDone(() => visitor.jailAttach(jid)));
  replay.check(
    'inside ALL sees jailed zombie',
    () => attemptDone(() => everybody(visitor)),
    (row) => {
      const shown = everybody(visitor);
      const sees = Number(shown.some(({ pid }) => pid === jailed.pid));
      assert.deepEqual([shown.length, sees], [row.n, row.sees]);
    },
  );
  replay.check('inside kill(zombie,0)', () => attemptDone(() => visitor.kill(jailed.pid, 0)));
  endChild(recorder, visitor);
  for (const { pid } of [jailed, plain]) recorder.wait(pid);
  replay.checkList('reaped', recorder);
}

function everybody(process: ModelProcess): KernelProcess[] {
  return decodeProcesses(read(process, [ALL]).bytes, layout59);
}

function replayZombieRecord(replay: Replay, recorder: ModelProcess, name: string, pid: number) {
  replay.check(
    name,
    () => attemptDone(() => everybody(recorder)),
    (row) => {
      const model = everybody(recorder).find((process) => process.pid === pid);
      assert.ok(model !== undefined);
      const real = rawProcess(row);
      for (const { state, flags, exitStatus, command, threads, uid, threadState } of [
        model,
        real,
      ]) {
        const shown = [state, hexOf(flags), exitStatus, command, threads, uid, threadState];
        const told = [row.stat, row.flags, row.exitstat, row.comm, row.nthreads, row.uid];
        assert.deepEqual(shown, [...told, row.lwp_stat], name);
      }
      assert.deepEqual([real.ppid, real.pgid, real.jid], [row.ppid, row.pgid, row.jid], name);
      sameProcess(replay.numbers, real, model);
    },
  );
}
