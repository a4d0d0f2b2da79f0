import type { RawProcess } from '../../native.js';
import type { ProcessInfo } from '../../reports.js';

/** A process as the API shows it. */
export function processInfo(raw: RawProcess): ProcessInfo {
  return {
    pid: raw.pid,
    jailPid: raw.jailPid,
    ppid: raw.ppid,
    pgid: raw.pgid,
    sid: raw.sid,
    jid: raw.jid,
    uid: raw.uid,
    gid: raw.gid,
    command: raw.command,
    args: [...raw.args],
    state: raw.state,
    startTime: new Date(raw.startTime),
    rss: raw.rss,
    virtualSize: raw.virtualSize,
    cpuTime: raw.cpuTime,
    threads: raw.threads,
    tty: raw.tty,
  };
}
