import type { RawProcesses } from '../../native.js';
import type { ProcessInfo } from '../../reports.js';

// The columns, in the order of native/addon/linux_process_table.hh.
const PID = 0; // 0: not to be shown
const JAIL_PID = 1;
const PPID = 2;
const PGID = 3;
const SID = 4;
const JID = 5;
const UID = 6;
const GID = 7;
const STATE = 8;
const START_TIME = 9;
const RSS = 10;
const VIRTUAL_SIZE = 11;
const CPU_TIME = 12;
const THREADS = 13;
const HAS_TERMINAL = 14;
const ARGUMENTS = 15;
const COLUMNS = 16;

const STATES = ['sleeping', 'running', 'stopped', 'zombie', 'idle'] as const;

/** The processes as the API shows them. */
export function readProcessTable({ numbers, texts }: RawProcesses): ProcessInfo[] {
  const processes: ProcessInfo[] = [];
  let text = 0;
  for (let row = 0; row < numbers.length; row += COLUMNS) {
    const at = (column: number) => numbers[row + column] ?? 0;
    const command = texts[text++] ?? '';
    const tty = at(HAS_TERMINAL) === 0 ? null : (texts[text++] ?? null);
    const args = texts.slice(text, text + at(ARGUMENTS));
    text += args.length;
    if (at(PID) === 0) continue;
    processes.push({
      pid: at(PID),
      jailPid: at(JAIL_PID),
      ppid: at(PPID),
      pgid: at(PGID),
      sid: at(SID),
      jid: at(JID),
      uid: at(UID),
      gid: at(GID),
      command,
      args,
      state: STATES[at(STATE)] ?? 'sleeping',
      startTime: new Date(at(START_TIME)),
      rss: at(RSS),
      virtualSize: at(VIRTUAL_SIZE),
      cpuTime: at(CPU_TIME),
      threads: at(THREADS),
      tty,
    });
  }
  return processes;
}
