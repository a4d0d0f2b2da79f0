import type { Capabilities } from '../capabilities.js';
import type {
  AttachReport,
  JailInfo,
  JailStep,
  PlanStep,
  Probe,
  ProcessInfo,
  ProcessUsage,
  RecoveredJail,
} from '../reports.js';
import type { ResolvedSpawn, TerminalSize } from '../spawn-options.js';
import type { ResolvedSpec } from '../spec.js';

/**
 * What the rest of the package is written against: one object per kernel. Arguments are checked before they come here;
 * a backend adds what its own kernel cannot do (`ERR_JAIL_UNSUPPORTED`).
 */
export interface Backend {
  readonly name: Probe['backend'];
  /** Looks into jails where this machine's files and sockets are not theirs; null: they are. */
  readonly inside: InsideView | null;

  /** Refuses what a spec asks for and this kernel cannot do. */
  checkSpec(spec: ResolvedSpec): void;
  /** Refuses capabilities that this kernel cannot give: to new jails, or to one that is there. */
  checkCapabilities(capabilities: Readonly<Capabilities>, jid?: number): void;
  /** The steps that {@link create} would take. No side effects. */
  plan(spec: ResolvedSpec): readonly PlanStep[];
  probe(): Probe;

  /** Makes a jail. When it rejects, everything has been undone. `steps` is told of each step of the plan, when it is done. */
  create(
    spec: ResolvedSpec,
    signal: AbortSignal | null,
    steps: StepSink | null,
  ): Promise<Connection>;
  /** A connection to a running jail; `ERR_JAIL_NOT_FOUND`. */
  open(id: number | string): Promise<Connection>;

  /** The running jails, by jid; with `lingering` those too that have ended and that only the kernel's connections hold. */
  list(options?: { readonly lingering?: boolean }): JailInfo[];
  /** What the sysctl `jail.list` of DragonFly holds, or would hold on this system: the newest jail first. */
  jailList(): Uint8Array;
  /** One of them; null when it is not there. */
  find(jid: number): JailInfo | null;
  /** What later commands of a jail may do; null when it is not there. */
  capabilitiesOf(jid: number): Capabilities | null;
  /** Every process of the host. */
  processes(): ProcessInfo[];
  /** The processes of one jail. */
  jailProcesses(jid: number): ProcessInfo[];
  /** Signals every process of a jail: how many there were. */
  signal(jid: number, signal: number): number;

  /** Moves this process into a jail, for good. Returns what became of its descriptors. */
  attach(jid: number): AttachReport;

  /** What the kernel gives to a jail that jail(8) makes, as far as it is safe to. */
  newJailCapabilities(): Capabilities;
  defaultCapabilities(): Capabilities;
  setDefaultCapabilities(capabilities: Readonly<Capabilities>): void;
  recover(): Promise<RecoveredJail[]>;
  /**
   * Where jails are registered; null: nowhere in the file system.
   *
   * @param env the environment to go by
   */
  stateDirectory(env?: NodeJS.ProcessEnv): string | null;
  /** A directory in which something changes when jails come and go; null: there is none. */
  watchedDirectory(): string | null;
  /** What other programs have set up on the host for their jails; null: there are none of theirs. */
  hostSetup(): HostSetup | null;
}

/** What rc.d/jail sets up on the host for its jails, for whoever takes it back. */
export interface HostSetup {
  /** Where something is mounted, as the kernel has it, in the order of mounting. */
  mountPoints(): string[];
  /** By force. @throws JailSystemError step `mount` */
  unmount(path: string): void;
  /** That it is not there is no error. @throws JailSystemError step `address` */
  removeAddress(interfaceName: string, address: string): void;
}

/** Hears of steps, in the order in which they were done. */
export type StepSink = (done: JailStep) => void;

/** What there is inside of jails. */
export interface InsideView {
  /** Is there a file? No link is followed. */
  exists(jid: number, path: string): boolean;
  /** Does anybody in the jail listen on a TCP port? */
  listens(jid: number, port: number): boolean;
}

/** How a connection ended. */
export type JailEnd =
  /** The jail is gone. */
  | 'gone'
  /** Only the handle was let go; the jail lives on. */
  | 'closed';

/** A command that was running before the connection was made. */
export interface RunningCommand {
  readonly pid: number;
  readonly jailPid: number;
  readonly argv: readonly string[];
  readonly file: string;
  /** Hears of its end, at most once. */
  attach(events: CommandEvents): CommandControl;
}

/** How a command ended, by its wait status. */
export interface CommandExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly usage: ProcessUsage;
}

/** What is told of a command: that it runs, and then one of the others; or one of the others alone. */
export interface CommandEvents {
  started(pid: number, jailPid: number): void;
  exited(exit: CommandExit): void;
  /** It could not be started, or its end will never be known. */
  failed(error: Error): void;
  /** The connection was closed on purpose while it ran. */
  abandoned(error: Error): void;
  /** A signal could not be delivered, though the command is still there. */
  signalFailed(error: Error): void;
}

/** What can be done to a command. */
export interface CommandControl {
  /** As kill(2), by the monitor; before {@link CommandEvents.started} it is kept until then. */
  signal(number: number): void;
  /** A running command keeps the program alive unless it is unref'd. */
  ref(): void;
  unref(): void;
}

/** Descriptors of a command. */
export interface CommandDescriptors {
  /** Per slot of its stdio: what stands there, by the protocol's numbers. */
  readonly slots: readonly number[];
  /** One per passed slot, in order. */
  readonly passed: readonly number[];
  /** Called once, when `passed` may be closed. */
  readonly sent: () => void;
  /** The terminal that its three are, if they are one. */
  readonly terminal: TerminalSource | null;
}

/** What is known of a terminal on our side. */
export interface TerminalSource {
  readonly size: TerminalSize;
  /** Hears of each change. */
  onResize(listener: () => void): void;
}

/** A live connection to one jail. */
export interface Connection {
  readonly jid: number;
  readonly name: string | null;
  /** Made by this connection, and ending with it unless it is persistent. */
  readonly owned: boolean;
  /** Commands that were running before. */
  readonly running: readonly RunningCommand[];
  /** Settles once, when nothing of the connection is left. Never rejects. */
  readonly ended: Promise<JailEnd>;

  /** Runs a command. Never throws; what goes wrong is told by {@link CommandEvents.failed}. */
  spawn(
    command: ResolvedSpawn,
    descriptors: CommandDescriptors,
    events: CommandEvents,
  ): CommandControl;
  /** Ends the jail: the signal to everything in it, after `graceMs` KILL. Resolves when it is gone. */
  stop(signal: number, graceMs: number, steps: StepSink | null): Promise<void>;
  /** Of commands that are spawned later. */
  setCapabilities(capabilities: Readonly<Capabilities>): void;
  /** What {@link setCapabilities} asked for and the registry does not tell yet; null: nothing. */
  pendingCapabilities(): Capabilities | null;
  /** Lets go of the jail. */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}
