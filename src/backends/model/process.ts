import type { Credential } from './credential.js';
import { Memory } from './memory.js';
import type { OpenFile } from './open-file.js';
import type { Place } from './place.js';

/** `p_stat`. */
export type ProcessState = 'active' | 'stopped' | 'zombie';

/** One thread of a process. */
export interface ModelThread {
  readonly tid: number;
  readonly name: string;
  readonly running: boolean;
  /** What it waits for; empty: nothing. */
  readonly waitsFor: string;
}

/** What a process does about a signal: true when it has dealt with it. */
export type SignalHandler = (signal: number) => boolean;

/** A process: data alone. What it can call is `ModelProcess`. */
export class ProcessEntry {
  readonly pid: number;
  parent: ProcessEntry | null;
  /** Its parent before somebody traced it, whom listings go on naming; null: nobody does. */
  tracedFrom: ProcessEntry | null = null;
  /** What it has stopped for; null: its parent has been told, or it has not stopped. */
  stoppedBy: number | null = null;
  /** What came while it was stopped for somebody who traces it. */
  pending: number | null = null;
  pgid: number;
  sid: number;
  credential: Credential;
  root: Place;
  cwd: Place;
  state: ProcessState = 'active';
  /** A wait status, once it is a zombie. */
  exitStatus = 0;
  /** `P_…`. */
  flags: number;
  command: string;
  args: readonly string[];
  readonly startTime: { seconds: number; microseconds: number };
  threads: readonly ModelThread[];
  readonly files = new Map<number, OpenFile>();
  readonly children = new Set<ProcessEntry>();
  readonly memory = new Memory();
  /** Of setrlimit(2), by their names in lower case. */
  readonly limits = new Map<string, { readonly soft: bigint; readonly hard: bigint }>();
  login = '';
  /** -20 to 20. */
  nice = 0;
  /** Its controlling terminal; null: none. */
  terminal: number | null = null;
  /** Microseconds. */
  cpu = 0;
  /** Bytes. */
  rss = 0;
  virtualSize = 0;
  /** Whoever acts for it: told of signals. */
  handler: SignalHandler | null = null;
  /** Told when it has ended. */
  readonly ended: (() => void)[] = [];

  constructor(
    pid: number,
    parent: ProcessEntry | null,
    parts: Pick<
      ProcessEntry,
      'pgid' | 'sid' | 'credential' | 'root' | 'cwd' | 'flags' | 'command' | 'args' | 'startTime'
    >,
  ) {
    this.pid = pid;
    this.parent = parent;
    this.pgid = parts.pgid;
    this.sid = parts.sid;
    this.credential = parts.credential;
    this.root = parts.root;
    this.cwd = parts.cwd;
    this.flags = parts.flags;
    this.command = parts.command;
    this.args = parts.args;
    this.startTime = parts.startTime;
    this.threads = [{ tid: 1, name: this.command, running: false, waitsFor: '' }];
  }

  get uid(): number {
    return this.credential.uid;
  }

  get jid(): number {
    return this.credential.prison?.jid ?? 0;
  }

  get isZombie(): boolean {
    return this.state === 'zombie';
  }

  /** Changes who it is; jails are held by those who are in them. */
  become(credential: Credential): void {
    const before = this.credential.prison;
    this.credential = credential;
    if (before === credential.prison) return;
    credential.prison?.hold(this);
    before?.release(this);
  }
}
