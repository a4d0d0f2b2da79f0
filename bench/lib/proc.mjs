// /proc read in JavaScript, as a program without an addon would.
import { readdirSync, readFileSync } from 'node:fs';

/** Of these pids, or of everybody (null): name, parent, arguments, user and memory. */
export function readProcesses(pids) {
  const all = pids ?? readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(readProcess).filter((process) => process !== null);
}

function readProcess(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
    const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return {
      pid: Number(pid),
      ppid: Number(fields[1]),
      command,
      args,
      uid,
      rss: Number(fields[21]),
    };
  } catch {
    return null; // it has ended
  }
}
