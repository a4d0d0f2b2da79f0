import type { JailAddress } from '../../addresses.js';
import { monitorLost } from '../../monitor/failure.js';
import type { ResolvedSpec } from '../../spec.js';
import type { StepSink } from '../backend.js';
import { CapabilityAccess } from '../dragonfly/capability-access.js';
import type { KernelReads } from '../dragonfly/kernel-reads.js';
import type { OwnEntry } from '../dragonfly/listing.js';
import { Commands } from './commands.js';
import { makeJail } from './create.js';
import { readsBy } from './host-reads.js';
import { unmountInside } from './jail-mounts.js';
import type { KeepAlive } from './keep-alive.js';
import type { ModelKernel } from './kernel.js';
import { countLiving, killAll, signalInside, waitUntil } from './killing.js';
import { isHeldByConnections, noteLingering } from './lingering.js';
import type { ModelProcess } from './model-process.js';
import { endMonitor, reap, startMonitor } from './monitor.js';
import type { Prison } from './prison.js';
import { Stopwatch } from './stopwatch.js';
import { kernelSignal, systemError } from './translate.js';
import { type UndoFailure, UndoList } from './undo-list.js';

/** How long a jail may take to vanish once everything that we hold is let go: what else can hold it is not ours. */
const GONE_MS = 300;
/** How long the kernel alone may take, before it is asked for connections. */
const KERNEL_MS = 30;
/** How often it is looked whether what commands have left behind has ended. */
const LOOK_MS = 10;
const KILL = 9;

/** What became of taking things back. */
export interface Undone {
  readonly undone: readonly string[];
  readonly failed: readonly UndoFailure[];
}

/** The monitor that made a jail and holds it, with whatever was set up for it. */
export class JailKeeper {
  readonly spec: ResolvedSpec;
  readonly commands: Commands;
  /** Settles when nothing of the jail is left. */
  readonly gone: Promise<void>;
  readonly #kernel: ModelKernel;
  readonly #reads: KernelReads;
  readonly #undo: UndoList;
  readonly #jid: number;
  readonly #prison: Prison | undefined;
  readonly #path: string;
  #monitor: ModelProcess;
  #isLost = false;
  #stopping = false;
  #tellGone: () => void = () => {};
  #isGone = false;

  /**
   * Makes a jail.
   *
   * @param kernel   where
   * @param spec     what
   * @param keepAlive of its commands
   * @param leave    is told of what could not be taken back after a failure
   * @param steps    is told of each step that was done
   * @throws JailSystemError with the step. Everything that can be has been taken back then.
   */
  static make(
    kernel: ModelKernel,
    spec: ResolvedSpec,
    keepAlive: KeepAlive,
    leave: (undo: UndoList, monitor: ModelProcess) => void,
    steps: StepSink | null,
  ): JailKeeper {
    const watch = new Stopwatch(steps);
    const monitor = startMonitor(kernel);
    watch.done('monitor');
    const undo = new UndoList();
    try {
      const capabilities = new CapabilityAccess(readsBy(kernel, () => monitor));
      const { jid, path } = makeJail(kernel, monitor, spec, capabilities, undo, watch);
      const keeper = new JailKeeper(kernel, monitor, spec, undo, { jid, path }, keepAlive);
      watch.done('ready');
      return keeper;
    } catch (error) {
      undo.run(monitor);
      // Of what is left somebody else has to take care: this monitor's descriptors go with it.
      if (!undo.isEmpty) leave(undo, monitor);
      else endMonitor(kernel, monitor);
      throw error;
    }
  }

  private constructor(
    kernel: ModelKernel,
    monitor: ModelProcess,
    spec: ResolvedSpec,
    undo: UndoList,
    made: { jid: number; path: string },
    keepAlive: KeepAlive,
  ) {
    this.#kernel = kernel;
    this.#monitor = monitor;
    monitor.entry.ended.push(() => this.#lose());
    this.spec = spec;
    this.#undo = undo;
    this.#jid = made.jid;
    this.#prison = kernel.prisons.find(made.jid);
    this.#path = made.path;
    this.#reads = readsBy(kernel, () => this.#monitor);
    this.commands = new Commands(kernel, monitor, made.jid, spec.limits.rlimits, keepAlive);
    if (spec.untilEmpty) this.commands.whenEnded = () => this.#endWhenEmpty();
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  get jid(): number {
    return this.#jid;
  }

  /** The kernel has it still: another jail may have its number by now. */
  get isThere(): boolean {
    return this.#exists();
  }

  /** Nothing can be run in it any more. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Its monitor was killed: what runs in it goes on, and {@link recover} takes everything back. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What a listing tells of it. */
  entry(owned: boolean): OwnEntry {
    const { name, hostname } = this.spec;
    const addresses = this.spec.addresses.map(
      ({ address, family, scopeid }): JailAddress =>
        typeof scopeid === 'number' ? { address, family, scopeid } : { address, family },
    );
    const stopping = this.#stopping;
    return { jid: this.#jid, name, hostname, path: this.#path, addresses, stopping, owned };
  }

  /**
   * Ends it: the signal, some time, KILL, and everything is taken back.
   *
   * @param signal  this machine's number
   * @param graceMs how long after the signal
   * @param steps   is told of each step that was done
   * @throws JailSystemError what could not be done; it can be called again
   */
  async stop(signal: number, graceMs: number, steps: StepSink | null): Promise<void> {
    if (this.#isGone || this.#isLost) return;
    const watch = new Stopwatch(steps);
    this.#stopping = true;
    if (graceMs > 0 && countLiving(this.#reads, this.#jid) > 0) {
      signalInside(this.#monitor, this.#jid, kernelSignal(signal));
      await waitUntil(() => countLiving(this.#reads, this.#jid) === 0, graceMs);
    }
    watch.done('signal');
    this.#end();
    watch.done('kill');
    const [failure] = this.#takeBack().failed;
    if (failure !== undefined) throw failure.error;
    if (!(await this.#waitForTheEnd())) throw this.#stillHeld();
    watch.done('release');
    this.#finish();
    watch.done('register');
  }

  /** What {@link stop} could not do, once more and without waiting. */
  recover(): Undone {
    if (this.#monitor.hasEnded) this.#monitor = startMonitor(this.#kernel);
    const failed: UndoFailure[] = [];
    try {
      this.#end();
    } catch (error) {
      failed.push({ what: 'killed what was left', error: error as Error });
    }
    const outcome = this.#takeBack();
    failed.push(...outcome.failed);
    if (this.#exists() && !this.#lingers()) {
      failed.push({ what: 'let go of the jail', error: this.#stillHeld() });
    }
    if (failed.length === 0) this.#finish();
    return { undone: outcome.undone, failed };
  }

  #lose(): void {
    if (this.#isGone) return;
    this.#isLost = true;
    this.#stopping = true;
    this.commands.lose(monitorLost());
    reap(this.#kernel.host, this.#monitor.pid);
    this.#tellGone();
  }

  #endWhenEmpty(): void {
    if (this.#stopping) return;
    const running = this.commands.running.length + countLiving(this.#reads, this.#jid);
    if (running === 0)
      this.stop(KILL, 0, null).catch(() => {}); // who asks for recovery is told
    else setTimeout(() => this.#endWhenEmpty(), LOOK_MS).unref();
  }

  #end(): void {
    if (!this.#exists()) return;
    killAll(this.#kernel, this.#monitor, this.#reads, this.#jid);
    this.commands.reapStrays();
    unmountInside(this.#monitor, this.#jid, this.#kernel.mounts.all);
  }

  // The descriptor that holds the jail was the last thing to be made: it is the first to be let go.
  #takeBack(): Undone {
    return this.#undo.run(this.#monitor);
  }

  #exists(): boolean {
    return this.#prison !== undefined && this.#kernel.prisons.find(this.#jid) === this.#prison;
  }

  // True: the kernel has let go of it, or only connections hold it, which is noted.
  async #waitForTheEnd(): Promise<boolean> {
    if (await waitUntil(() => !this.#exists(), KERNEL_MS)) return true;
    return waitUntil(() => !this.#exists() || this.#lingers(), GONE_MS);
  }

  #lingers(): boolean {
    if (this.#prison === undefined || !isHeldByConnections(this.#kernel, this.#prison))
      return false;
    const { name, hostname, path, addresses } = this.entry(false);
    noteLingering(this.#kernel, this.#prison, { name, hostname, path, addresses });
    return true;
  }

  #stillHeld(): Error {
    const holders = this.#prison?.holders.size ?? 0;
    const where = { step: 'release', syscall: 'jail', path: this.#path, jid: this.#jid };
    const error = systemError(this.#monitor.error('EBUSY'), where);
    return Object.assign(error, { hint: `${holders} descriptors or mounts still hold it` });
  }

  #finish(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    endMonitor(this.#kernel, this.#monitor);
    this.#tellGone();
  }
}
