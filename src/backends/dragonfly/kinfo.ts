import type { ProcessInfo } from '../../reports.js';
import { malformed, readSigned, readText, readUnsigned, viewOf } from './bytes.js';
import type { KernelLayout } from './layout.js';

/** One record of `kern.proc`, still in the kernel's terms. */
export interface KernelProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly jid: number;
  readonly uid: number;
  /** Real user. */
  readonly ruid: number;
  /** Real group. */
  readonly rgid: number;
  /** Effective group: the first of the groups. */
  readonly gid: number;
  /** At most 16 characters. */
  readonly command: string;
  /** `SIDL` 1, `SACTIVE` 2, `SSTOP` 3, `SZOMB` 4, `SCORE` 5. */
  readonly state: number;
  /** Of its only or busiest thread: `LSRUN` 1, `LSSTOP` 2, `LSSLEEP` 3. */
  readonly threadState: number;
  readonly flags: number;
  /** A wait status. */
  readonly exitStatus: number;
  readonly threads: number;
  /** ms since 1970, with microseconds. With the pid it tells a process from a later one of the same number. */
  readonly startTime: number;
  /** Bytes. */
  readonly rss: number;
  /** Bytes. */
  readonly virtualSize: number;
  /** Microseconds, user and system. */
  readonly cpuMicroseconds: number;
  /** A device number; null: none. */
  readonly terminal: number | null;
  readonly login: string;
  /** -1 where the record is not one of a single thread. */
  readonly tid: number;
  readonly threadName: string;
  /** What it waits for; empty: nothing. */
  readonly waitsFor: string;
}

const NO_DEVICE = 0xffffffff;
const MS = 1000;

/**
 * Decodes what `kern.proc` gave: one record each, and no field that tells their size. So a length that is no multiple
 * of the size is all there is to notice that kernel and headers differ.
 *
 * @param bytes  the whole answer
 * @param layout of the kernel that gave it
 * @returns with the kernel's own threads, whose pid is -1 or 0
 * @throws JailError `ERR_JAIL_PROTOCOL`
 */
export function decodeProcesses(bytes: Uint8Array, layout: KernelLayout): KernelProcess[] {
  const { size } = layout.structs.kinfoProc;
  if (bytes.length % size !== 0) {
    throw malformed('kern.proc', `${bytes.length} bytes are no multiple of ${size}`);
  }
  const view = viewOf(bytes);
  const processes: KernelProcess[] = [];
  for (let base = 0; base < bytes.length; base += size) {
    processes.push(decodeProcess(bytes, view, base, layout));
  }
  return processes;
}

function decodeProcess(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  layout: KernelLayout,
): KernelProcess {
  const { fields } = layout.structs.kinfoProc;
  const { fields: thread } = layout.structs.kinfoLwp;
  const lwp = base + fields.kp_lwp[0];
  const device = readUnsigned(view, base, fields.kp_tdev);
  const ticks =
    readUnsigned(view, lwp, thread.kl_uticks) + readUnsigned(view, lwp, thread.kl_sticks);
  return {
    pid: readSigned(view, base, fields.kp_pid),
    ppid: readSigned(view, base, fields.kp_ppid),
    pgid: readSigned(view, base, fields.kp_pgid),
    sid: readSigned(view, base, fields.kp_sid),
    jid: readSigned(view, base, fields.kp_jailid),
    uid: readUnsigned(view, base, fields.kp_uid),
    ruid: readUnsigned(view, base, fields.kp_ruid),
    rgid: readUnsigned(view, base, fields.kp_rgid),
    gid: view.getUint32(base + fields.kp_groups[0], true),
    command: readText(bytes, base, fields.kp_comm),
    state: readSigned(view, base, fields.kp_stat),
    threadState: readSigned(view, lwp, thread.kl_stat),
    flags: readUnsigned(view, base, fields.kp_flags),
    exitStatus: readUnsigned(view, base, fields.kp_exitstat),
    threads: readSigned(view, base, fields.kp_nthreads),
    startTime: readStart(view, base, layout),
    rss: readUnsigned(view, base, fields.kp_vm_rssize) * layout.pageSize,
    virtualSize: readUnsigned(view, base, fields.kp_vm_map_size),
    cpuMicroseconds: ticks,
    terminal: device === NO_DEVICE ? null : device,
    login: readText(bytes, base, fields.kp_login),
    tid: readSigned(view, lwp, thread.kl_tid),
    threadName: readText(bytes, lwp, thread.kl_comm),
    waitsFor: readText(bytes, lwp, thread.kl_wmesg),
  };
}

function readStart(view: DataView, base: number, layout: KernelLayout): number {
  const start = base + layout.structs.kinfoProc.fields.kp_start[0];
  const { tv_sec, tv_usec } = layout.structs.timeval.fields;
  return readSigned(view, start, tv_sec) * MS + readSigned(view, start, tv_usec) / MS;
}

/** The record of a kernel thread, which is no process that anybody could signal or wait for. */
export function isKernelThread(process: KernelProcess): boolean {
  return process.pid <= 0;
}

const STATES = { idle: 1, stopped: 3, zombie: 4, dumping: 5 } as const;
const RUNNING_THREAD = 1;

/** The state in the words of the API: that of a living process is its thread's. */
export function processState(process: KernelProcess): ProcessInfo['state'] {
  if (process.state === STATES.zombie) return 'zombie';
  if (process.state === STATES.stopped) return 'stopped';
  if (process.state === STATES.dumping) return 'dumping';
  if (process.state === STATES.idle) return 'idle';
  return process.threadState === RUNNING_THREAD ? 'running' : 'sleeping';
}

/**
 * A record as the API shows it.
 *
 * @param args its arguments, from KERN_PROC_ARGS
 */
export function processInfo(process: KernelProcess, args: readonly string[]): ProcessInfo {
  return {
    pid: process.pid,
    jailPid: process.pid,
    ppid: process.ppid,
    pgid: process.pgid,
    sid: process.sid,
    jid: process.jid,
    uid: process.uid,
    gid: process.gid,
    command: process.command,
    args: [...args],
    state: processState(process),
    startTime: new Date(process.startTime),
    rss: process.rss,
    virtualSize: process.virtualSize,
    cpuTime: process.cpuMicroseconds / MS,
    threads: process.threads,
    tty: terminalName(process.terminal),
  };
}

// Major and minor as makedev(3) puts them; devfs names nothing by number.
function terminalName(device: number | null): string | null {
  if (device === null || device === 0) return null;
  return `${(device >>> 8) & 0xff},${(device & 0xff) | ((device >>> 16) << 8)}`;
}
