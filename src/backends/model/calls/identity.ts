import type { Credential } from '../credential.js';
import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import { processFlag } from '../process-table.js';

const MAX_GROUPS = 16;

function change(process: ProcessEntry, part: Partial<Credential>): void {
  process.become({ ...process.credential, ...part });
  process.flags |= processFlag('P_SUGID');
}

/** setuid(2): root changes all three, others only between those they have. */
export function setuid(kernel: Kernel, process: ProcessEntry, uid: number): void {
  const { credential } = process;
  if (process.uid === 0) {
    change(process, { uid, ruid: uid, svuid: uid });
    return;
  }
  if (uid !== credential.ruid && uid !== credential.uid) throw kernel.error('EPERM');
  change(process, { uid, ruid: uid, svuid: uid });
}

/** seteuid(2). */
export function seteuid(kernel: Kernel, process: ProcessEntry, uid: number): void {
  const { credential } = process;
  const own = [credential.uid, credential.ruid, credential.svuid];
  if (process.uid !== 0 && !own.includes(uid)) throw kernel.error('EPERM');
  change(process, { uid });
}

/** setresuid(2). */
export function setresuid(
  kernel: Kernel,
  process: ProcessEntry,
  ruid: number,
  uid: number,
  svuid: number,
): void {
  const { credential } = process;
  const own = [credential.uid, credential.ruid, credential.svuid];
  const allowed = process.uid === 0 || [ruid, uid, svuid].every((id) => own.includes(id));
  if (!allowed) throw kernel.error('EPERM');
  change(process, { ruid, uid, svuid });
}

/** setgid(2). */
export function setgid(kernel: Kernel, process: ProcessEntry, gid: number): void {
  const { credential } = process;
  if (process.uid !== 0 && gid !== credential.rgid) throw kernel.error('EPERM');
  change(process, { gid, rgid: gid, svgid: gid });
}

/** setgroups(2): the first is the effective one. */
export function setgroups(kernel: Kernel, process: ProcessEntry, groups: readonly number[]): void {
  if (process.uid !== 0) throw kernel.error('EPERM');
  if (groups.length > MAX_GROUPS) throw kernel.error('EINVAL');
  change(process, { groups: [...groups] });
}

/** setlogin(2). */
export function setlogin(kernel: Kernel, process: ProcessEntry, name: string): void {
  if (process.uid !== 0) throw kernel.error('EPERM');
  process.login = name;
}

/** setpgid(2) of the process itself. */
export function setpgid(process: ProcessEntry, pgid: number): void {
  process.pgid = pgid === 0 ? process.pid : pgid;
}

/** The process that getsid(2) and getpgid(2) ask about: they do not look at jails. */
export function asked(kernel: Kernel, process: ProcessEntry, pid: number): ProcessEntry {
  const found = pid === 0 ? process : kernel.processes.find(pid);
  if (found === undefined) throw kernel.error('ESRCH');
  return found;
}

/** setsid(2). */
export function setsid(kernel: Kernel, process: ProcessEntry): number {
  if (process.pgid === process.pid) throw kernel.error('EPERM');
  process.pgid = process.pid;
  process.sid = process.pid;
  process.terminal = null;
  return process.sid;
}
