import type { JailAddress } from './addresses.js';
import type { JailSystemError } from './errors.js';

// Plain data that the package hands out: snapshots, never live.

/** A jail as it was at the moment of asking. */
export interface JailInfo {
  /** 1 to 999,998. */
  jid: number;
  /** What `Jail.open()` finds it by; null: it has none. */
  name: string | null;
  /** As the kernel has it now: the jail's root may have changed it. */
  hostname: string;
  /** The directory on the host that is the jail's `/`. */
  path: string;
  /** In the order in which they were given: the first of each family is the primary one. */
  addresses: JailAddress[];
  /**
   * `empty`: no process is in it; `stopping`: it is being ended (told only by the registry of this package);
   * `lingering`: it has ended, and only TCP connections that the kernel ends by itself hold its jid. Its name, root,
   * mounts and addresses are free. DragonFly only, and only where it was asked for.
   */
  state: 'running' | 'empty' | 'stopping' | 'lingering';
  /** False where a row of the kernel's list could not be confirmed by another source. On Linux always true. */
  confirmed: boolean;
  /** Made by this program. */
  owned: boolean;
  /** Of a lingering jail: what holds its jid. */
  connections?: LingeringConnection[];
}

/** A TCP connection that no process has any more. It ends by itself: from TIME_WAIT in about a minute. */
export interface LingeringConnection {
  /** The jail's end, `address:port`; IPv6 addresses in brackets. */
  local: string;
  /** The other end. */
  remote: string;
  /** As netstat(1) calls it: `TIME_WAIT`, `FIN_WAIT_1`, `FIN_WAIT_2`, `CLOSING`, `LAST_ACK`. */
  state: string;
}

/** A jail came, went, or is not what it was. For `removed`, `jail` is what was last known. */
export interface JailEvent {
  /** What has happened to it. */
  type: 'created' | 'changed' | 'removed';
  /** The jail as it is now, or was. */
  jail: JailInfo;
}

/** A process of the host or of a jail. Text in it is the process's own choice: never trust it. */
export interface ProcessInfo {
  /** The host's number. */
  pid: number;
  /** Inside the jail; the same as `pid` on DragonFly, and where it is not jailed. */
  jailPid: number;
  /** The parent, by the host's number. */
  ppid: number;
  /** Process group. */
  pgid: number;
  /** Session. */
  sid: number;
  /** 0: not jailed. */
  jid: number;
  /** As the jail sees it. */
  uid: number;
  /** As the jail sees it. */
  gid: number;
  /** The short name that the kernel keeps. */
  command: string;
  /**
   * The arguments, the program as the first; empty for kernel threads and zombies. On Linux also where processes that
   * fork without end have kept the listing waiting for their memory for 100 ms altogether: those that follow.
   */
  args: string[];
  /** What it is doing; `idle`: it is being made, or is a thread of the kernel; `dumping`: it writes its core. */
  state: 'running' | 'sleeping' | 'stopped' | 'zombie' | 'idle' | 'dumping';
  /** When it was started, by the host’s clock. */
  startTime: Date;
  /** Resident memory in bytes. */
  rss: number;
  /** Address space in bytes. */
  virtualSize: number;
  /** ms, user and system. */
  cpuTime: number;
  /** How many threads it has. */
  threads: number;
  /** The controlling terminal's name; null: none. */
  tty: string | null;
}

/** What a command that has ended used. See getrusage(2). */
export interface ProcessUsage {
  /** ms. */
  userTime: number;
  /** ms. */
  systemTime: number;
  /** The most memory that was resident at once, in bytes. */
  maxRss: number;
  /** ms between start and end. */
  wallTime: number;
}

/** What the living processes of a jail use together. */
export interface JailUsage {
  /** How many there are. */
  processes: number;
  /** How many threads they have together. */
  threads: number;
  /** Bytes, summed: what processes share is counted more than once. */
  rss: number;
  /** ms, user and system, of the living. */
  cpuTime: number;
}

/** One step of creating a jail. */
export interface PlanStep {
  /** The name that errors carry as `step`. */
  step: string;
  /** What is done, with its operands. */
  description: string;
  /** The system call that does it; null: several, or none. */
  syscall: string | null;
  /** How it is taken back; null: nothing is left of it. */
  undo: string | null;
}

/** A step of making or ending a jail that was done. */
export interface JailStep {
  /** By the name that errors and {@link PlanStep} have. */
  readonly step: string;
  /** ms that it took. */
  readonly durationMs: number;
}

/** A descriptor of this process that came with it into a jail. */
export interface KeptDescriptor {
  /** Its number. */
  readonly fd: number;
  /** What it is of. A `socket` keeps the network that it was made in, and a monitor’s is one too. */
  readonly type: 'file' | 'socket' | 'pipe' | 'kqueue' | 'terminal' | 'device' | 'other';
}

/** What became of this process’s descriptors when it entered a jail. */
export interface AttachReport {
  /** They were of directories, which lead out: closed, and in their places is the end of an empty pipe. */
  readonly closed: readonly number[];
  /** What is still open, and was opened outside. */
  readonly kept: readonly KeptDescriptor[];
}

/** Something that may be possible here or not. */
export interface Feature {
  /** It can be had here, by this user. */
  available: boolean;
  /** Why it is not available, or only in part. */
  reason?: string;
  /** What to do about that. */
  hint?: string;
}

/** What the package can do on this machine, for this user. */
export interface Probe {
  /** By what jails are made here. */
  backend: 'dragonfly' | 'linux' | 'model';
  /** The kernel's release. */
  release: string;
  /** Runs as root: jails have users, and addresses that the host can reach. */
  privileged: boolean;
  /** By name. docs/platforms.md has all names. */
  features: Record<string, Feature>;
}

/** What a jail had left behind when its monitor died, and what became of it. */
export interface RecoveredJail {
  /** The number that it had. */
  jid: number;
  /** The name that it had; null: none. */
  name: string | null;
  /** What was taken back, in words. */
  undone: string[];
  /** What could not be taken back, and why; the next call tries again. */
  failed: { what: string; error: JailSystemError }[];
}
