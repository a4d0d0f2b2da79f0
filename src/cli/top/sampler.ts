import { listJails } from '../../list.js';
import { listProcesses, sumUsage } from '../../processes.js';
import type { JailInfo, ProcessInfo } from '../../reports.js';

/** What one jail uses. */
export interface JailSample {
  readonly jid: number;
  readonly name: string | null;
  readonly hostname: string;
  readonly processes: number;
  readonly threads: number;
  /** Bytes. */
  readonly rss: number;
  /** ms, of the living processes. */
  readonly cpuTime: number;
  /** Per cent of one CPU since the sample before; null in the first one. */
  readonly cpu: number | null;
}

/** All jails at one moment. */
export interface Sample {
  readonly time: Date;
  readonly jails: readonly JailSample[];
}

/** Looks at all jails again and again; CPU time is told by comparing with the look before. */
export class Sampler {
  /** CPU time in ms, by process. */
  #before: ReadonlyMap<string, number> | null = null;
  #lastAt = 0;
  #lastTime = 0;

  /**
   * @returns what there is now, by jid
   * @throws what `listJails()` and `listProcesses()` throw
   */
  next(): Sample {
    const jails = listJails();
    const processes = listProcesses().filter(({ jid }) => jid !== 0);
    const at = performance.now();
    const time = new Date();
    const elapsed = this.#before === null ? null : at - this.#lastAt;
    const spent = this.#spent(processes);
    const sample = jails.map((jail) => sampleOf(jail, processes, spent, elapsed));
    this.#before = new Map(processes.map((process) => [identity(process), process.cpuTime]));
    this.#lastAt = at;
    this.#lastTime = time.getTime();
    return { time, jails: sample };
  }

  // ms per jail since the last look. What has been used by processes that ended meanwhile is not known.
  #spent(processes: readonly ProcessInfo[]): Map<number, number> {
    const spent = new Map<number, number>();
    for (const process of processes) {
      const before = this.#before?.get(identity(process));
      const isNew = before === undefined && process.startTime.getTime() >= this.#lastTime;
      const used = before === undefined ? (isNew ? process.cpuTime : 0) : process.cpuTime - before;
      spent.set(process.jid, (spent.get(process.jid) ?? 0) + Math.max(used, 0));
    }
    return spent;
  }
}

// A recycled pid is somebody else.
function identity({ pid, startTime }: ProcessInfo): string {
  return `${pid}:${startTime.getTime()}`;
}

function sampleOf(
  { jid, name, hostname }: JailInfo,
  processes: readonly ProcessInfo[],
  spent: ReadonlyMap<number, number>,
  elapsed: number | null,
): JailSample {
  const usage = sumUsage(processes.filter((process) => process.jid === jid));
  const used = spent.get(jid) ?? 0;
  const cpu = elapsed === null || elapsed <= 0 ? null : (used / elapsed) * 100;
  return { jid, name, hostname, ...usage, cpu: cpu === null ? null : Math.round(cpu * 10) / 10 };
}
