import { layout59 } from '../dragonfly/layout-5.9.js';
import { type Credential, rootCredential, sees } from './credential.js';
import type { Place } from './place.js';
import { ProcessEntry } from './process.js';

const { processFlags: P } = layout59;

/** A flag by its name. */
export function processFlag(name: string): number {
  return P[name] ?? 0;
}

/** The clock of a model: told, not read, where a test wants to know what it says. */
export type Clock = () => number;

/** All processes. */
export class ProcessTable {
  readonly #byPid = new Map<number, ProcessEntry>();
  readonly #clock: Clock;
  readonly init: ProcessEntry;
  #lastPid = 1;

  constructor(root: Place, clock: Clock) {
    this.#clock = clock;
    const swapper = this.#first(0, null, root, 'swapper', processFlag('P_SYSTEM'));
    const flags = processFlag('P_SYSTEM') | processFlag('P_EXEC') | processFlag('P_MAYBETHREADED');
    this.init = this.#first(1, swapper, root, 'init', flags);
  }

  /** By pid. */
  get all(): ProcessEntry[] {
    return [...this.#byPid.values()].sort((a, b) => a.pid - b.pid);
  }

  find(pid: number): ProcessEntry | undefined {
    return this.#byPid.get(pid);
  }

  /** Those that somebody in a jail, or not, can see. */
  visible(observer: Credential): ProcessEntry[] {
    return this.all.filter((process) => sees(observer, process.credential));
  }

  inGroup(pgid: number): ProcessEntry[] {
    return this.all.filter((process) => process.pgid === pgid);
  }

  /** fork(2) without what surrounds it. */
  fork(parent: ProcessEntry): ProcessEntry {
    const inherited = processFlag('P_JAILED') | processFlag('P_SUGID');
    const child = new ProcessEntry(this.#takePid(), parent, {
      pgid: parent.pgid,
      sid: parent.sid,
      credential: parent.credential,
      root: parent.root,
      cwd: parent.cwd,
      flags: (parent.flags & inherited) | processFlag('P_MAYBETHREADED'),
      command: parent.command,
      args: parent.args,
      startTime: this.#now(),
    });
    child.login = parent.login;
    child.nice = parent.nice;
    child.terminal = parent.terminal;
    for (const [name, limit] of parent.limits) child.limits.set(name, limit);
    for (const [fd, file] of parent.files) child.files.set(fd, file.retain());
    child.credential.prison?.hold(child);
    parent.children.add(child);
    this.#byPid.set(child.pid, child);
    return child;
  }

  /** A zombie is gone for good. */
  reap(process: ProcessEntry): void {
    process.parent?.children.delete(process);
    this.#byPid.delete(process.pid);
    process.credential.prison?.release(process);
  }

  /** All are gone but the kernel's own; numbers begin again. */
  reboot(): void {
    for (const process of this.all) if (process.pid > 1) this.reap(process);
    this.#lastPid = 1;
  }

  #first(
    pid: number,
    parent: ProcessEntry | null,
    root: Place,
    command: string,
    flags: number,
  ): ProcessEntry {
    const process = new ProcessEntry(pid, parent, {
      pgid: 0,
      sid: 0,
      credential: rootCredential,
      root,
      cwd: root,
      flags,
      command,
      args: [],
      startTime: this.#now(),
    });
    this.#byPid.set(pid, process);
    parent?.children.add(process);
    return process;
  }

  #takePid(): number {
    do this.#lastPid = this.#lastPid >= 99_999 ? 2 : this.#lastPid + 1;
    while (this.#byPid.has(this.#lastPid));
    return this.#lastPid;
  }

  #now(): { seconds: number; microseconds: number } {
    const ms = this.#clock();
    return { seconds: Math.floor(ms / 1000), microseconds: Math.floor((ms % 1000) * 1000) };
  }
}
