import { type JailInfo, listJails, listProcesses, type ProcessInfo } from 'dragonfly-jail';

const LONGEST = 300; // characters of one argument, of which a process may have megabytes
const MOST_ARGUMENTS = 30;
const MOST_PROCESSES = 200; // of one jail; the others are counted

/** A process as it is shown. */
export interface ShownProcess
  extends Pick<ProcessInfo, 'pid' | 'jailPid' | 'uid' | 'state' | 'rss'> {
  readonly command: string;
  readonly args: readonly string[];
  /** ms of a processor. */
  readonly cpuTime: number;
  readonly startTime: string;
}

/** A jail as it is shown. */
export interface ShownJail extends Omit<JailInfo, 'addresses' | 'owned'> {
  readonly addresses: readonly string[];
  readonly processes: readonly ShownProcess[];
  /** All of them, also those that are left out. */
  readonly processCount: number;
  /** Bytes, of all of them. */
  readonly rss: number;
}

/** What there is at one moment. */
export interface Snapshot {
  readonly jails: readonly ShownJail[];
}

/** Looks at all jails and their processes. */
export function takeSnapshot(): Snapshot {
  const byJail = new Map<number, ProcessInfo[]>();
  for (const process of listProcesses()) {
    const others = byJail.get(process.jid);
    if (others === undefined) byJail.set(process.jid, [process]);
    else others.push(process);
  }
  return { jails: listJails().map((jail) => shownJail(jail, byJail.get(jail.jid) ?? [])) };
}

function shownJail(
  { owned: _, addresses, ...jail }: JailInfo,
  processes: readonly ProcessInfo[],
): ShownJail {
  return {
    ...jail,
    addresses: addresses.map(({ address }) => address),
    processes: processes.slice(0, MOST_PROCESSES).map(shownProcess),
    processCount: processes.length,
    rss: processes.reduce((sum, { rss }) => sum + rss, 0),
  };
}

function shownProcess(process: ProcessInfo): ShownProcess {
  const { pid, jailPid, uid, state, rss, cpuTime, command, args, startTime } = process;
  return {
    ...{ pid, jailPid, uid, state, rss, cpuTime, command },
    args: args.slice(0, MOST_ARGUMENTS).map(shortened),
    startTime: startTime.toISOString(),
  };
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
