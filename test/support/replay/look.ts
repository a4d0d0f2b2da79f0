import assert from 'node:assert/strict';
import { decodeProcesses } from '#internal/backends/dragonfly/kinfo.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import type { ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, type Row } from '../recordings.js';
import type { Replay } from './replay.js';

const { P_TRACED = 0, P_WEXIT = 0 } = layout59.processFlags;
const KERN_PROC_ALL = [1, 14, 0];

/** Who somebody is to the recorder. */
export interface Roles {
  readonly me: ModelProcess;
  readonly tracer: ModelProcess | null;
}

function roleOf(pid: number, { me, tracer }: Roles): string {
  if (pid <= 0) return 'none';
  if (pid === me.pid) return 'me';
  if (pid === tracer?.pid) return 'tracer';
  return pid === 1 ? 'init' : 'other';
}

/**
 * A look at a process: its state, whether it is traced and on its way out, whether it waits for its terminal, and who its
 * parent is by the list of processes and by procfs, which has no zombies.
 */
export function replayLook(
  replay: Replay,
  name: string,
  process: ModelProcess,
  roles: Roles,
): void {
  const seen = () => {
    const all = decodeProcesses(roles.me.sysctlMib(KERN_PROC_ALL).bytes, layout59);
    const found = all.find(({ pid }) => pid === process.pid);
    if (found === undefined) throw roles.me.error('ESRCH');
    return found;
  };
  replay.check(
    name,
    () => attemptDone(seen),
    (row) => {
      if (row.err !== '0') return;
      const { state, flags, waitsFor, ppid } = seen();
      const shown = {
        stat: state,
        traced: Number((flags & P_TRACED) !== 0),
        wexit: Number((flags & P_WEXIT) !== 0),
        waits: waitsFor === 'ttywai',
        ppid: roleOf(ppid, roles),
        parent: roleOf(parentOf(roles.me, process.pid), roles),
      };
      const { stat, traced, wexit, wmesg, ...parents } = row;
      const { ppid: recordedPpid, parent } = parents;
      const waits = wmesg === 'ttywai';
      assert.deepEqual(shown, { stat, traced, wexit, waits, ppid: recordedPpid, parent }, name);
    },
  );
}

function parentOf(me: ModelProcess, pid: number): number {
  if (!me.readdir('/proc').includes(String(pid))) return 0;
  const status = Buffer.from(me.readFile(`/proc/${pid}/status`)).toString();
  return Number(status.split(' ')[2]);
}

/** wait4(2) without waiting: whether there was something, and its status. */
export function replayWait(
  replay: Replay,
  name: string,
  wait: () => { readonly status: number } | null,
): void {
  let status = -1;
  replay.check(
    name,
    () =>
      attempt(() => {
        const waited = wait();
        status = waited?.status ?? -1;
        return Number(waited !== null);
      }),
    (row: Row) => assert.equal(status, row.status, name),
  );
}
