import { viewOf, writeInteger, writeText } from '../dragonfly/bytes.js';
import type { FieldPlace, KernelLayout } from '../dragonfly/layout.js';
import type { ModelThread, ProcessEntry } from './process.js';

/** A thread of the kernel's own, as `kern.proc` shows it. */
export interface KernelThread {
  /** As ps(1) shows it. */
  readonly name: string;
  /** Its process state is 1 (idle), not 2. */
  readonly idle?: boolean;
}

const STATES = { active: 2, stopped: 3, zombie: 4 } as const;
const THREAD_STATES = { running: 1, stopped: 2, sleeping: 3 } as const;
const NO_DEVICE = 0xffffffff;
const SYSTEM = 0x200;

/** One record of `kern.proc`; of a single thread where one is given. */
export function encodeProcess(
  process: ProcessEntry,
  layout: KernelLayout,
  thread?: ModelThread,
): Uint8Array {
  const record = new Record(layout);
  const { credential } = process;
  record.proc('kp_flags', process.flags);
  record.proc('kp_stat', STATES[process.state]);
  record.start(process.startTime);
  record.text('kp_comm', process.command);
  record.text('kp_login', process.login);
  record.proc('kp_uid', credential.uid);
  record.proc('kp_ruid', credential.ruid);
  record.proc('kp_svuid', credential.svuid);
  record.proc('kp_rgid', credential.rgid);
  record.proc('kp_svgid', credential.svgid);
  record.groups([credential.gid, ...credential.groups.slice(1)]);
  record.proc('kp_pid', process.pid);
  record.proc('kp_ppid', (process.tracedFrom ?? process.parent)?.pid ?? -1);
  record.proc('kp_pgid', process.pgid);
  record.proc('kp_sid', process.sid);
  record.proc('kp_tdev', process.terminal ?? NO_DEVICE);
  record.proc('kp_exitstat', process.exitStatus);
  record.proc('kp_nthreads', process.isZombie ? 0 : process.threads.length);
  record.proc('kp_vm_map_size', process.isZombie ? 0 : process.virtualSize);
  record.proc('kp_vm_rssize', process.isZombie ? 0 : process.rss / layout.pageSize);
  record.proc('kp_jailid', process.jid);
  record.thread(process.pid, threadOf(process, thread), thread === undefined, process.cpu);
  return record.bytes;
}

function threadOf(process: ProcessEntry, thread: ModelThread | undefined): ThreadParts {
  const shown = thread ?? process.threads[0];
  const running = shown?.running === true && process.state === 'active';
  const state = running
    ? THREAD_STATES.running
    : process.state === 'stopped'
      ? THREAD_STATES.stopped
      : THREAD_STATES.sleeping;
  return {
    tid: shown?.tid ?? 1,
    name: shown?.name ?? process.command,
    waitsFor: shown?.waitsFor ?? '',
    state,
  };
}

/** The record of a thread of the kernel's own. */
export function encodeKernelThread(thread: KernelThread, layout: KernelLayout): Uint8Array {
  const record = new Record(layout);
  record.proc('kp_flags', SYSTEM);
  record.proc('kp_stat', thread.idle ? 1 : 2);
  record.text('kp_comm', thread.name);
  record.proc('kp_pid', -1);
  record.proc('kp_tdev', NO_DEVICE);
  record.proc('kp_ktaddr', 1);
  return record.bytes;
}

interface ThreadParts {
  readonly tid: number;
  readonly name: string;
  readonly waitsFor: string;
  readonly state: number;
}

type ProcField = keyof KernelLayout['structs']['kinfoProc']['fields'] & string;

class Record {
  readonly bytes: Uint8Array;
  readonly #layout: KernelLayout;
  readonly #view: DataView;

  constructor(layout: KernelLayout) {
    this.#layout = layout;
    this.bytes = new Uint8Array(layout.structs.kinfoProc.size);
    this.#view = viewOf(this.bytes);
  }

  proc(field: ProcField, value: number): void {
    writeInteger(this.#view, 0, this.#place(field), value);
  }

  text(field: ProcField, text: string): void {
    writeText(this.bytes, 0, this.#place(field), text);
  }

  start({ seconds, microseconds }: { seconds: number; microseconds: number }): void {
    const base = this.#place('kp_start')[0];
    const { tv_sec, tv_usec } = this.#layout.structs.timeval.fields;
    writeInteger(this.#view, base, tv_sec, seconds);
    writeInteger(this.#view, base, tv_usec, microseconds);
  }

  groups(groups: readonly number[]): void {
    const [offset, size] = this.#place('kp_groups');
    const kept = groups.slice(0, size / 4);
    this.proc('kp_ngroups', kept.length);
    for (const [index, group] of kept.entries()) {
      writeInteger(this.#view, offset, [4 * index, 4], group);
    }
  }

  thread(pid: number, parts: ThreadParts, summed: boolean, cpu: number): void {
    const base = this.#place('kp_lwp')[0];
    const { fields } = this.#layout.structs.kinfoLwp;
    writeInteger(this.#view, base, fields.kl_pid, pid);
    writeInteger(this.#view, base, fields.kl_tid, summed ? -1 : parts.tid);
    writeInteger(this.#view, base, fields.kl_stat, parts.state);
    writeInteger(this.#view, base, fields.kl_uticks, cpu);
    writeText(this.bytes, base, fields.kl_wmesg, parts.waitsFor);
    writeText(this.bytes, base, fields.kl_comm, parts.name);
  }

  #place(field: ProcField): FieldPlace {
    return this.#layout.structs.kinfoProc.fields[field] ?? [0, 0];
  }
}
