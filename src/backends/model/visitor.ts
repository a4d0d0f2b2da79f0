import type { StepSink } from '../backend.js';
import { readListing } from '../dragonfly/listing.js';
import { Commands } from './commands.js';
import { readsBy } from './host-reads.js';
import type { KeepAlive } from './keep-alive.js';
import type { JailKeeper } from './keeper.js';
import type { ModelKernel } from './kernel.js';
import { countLiving, killAll, signalInside, waitUntil } from './killing.js';
import { isHeldByConnections, noteLingering } from './lingering.js';
import type { ModelProcess } from './model-process.js';
import { endMonitor, startMonitor } from './monitor.js';
import type { Prison } from './prison.js';
import { kernelSignal, systemError } from './translate.js';

const GONE_MS = 300;

/** A monitor that owns nothing: it runs commands in a jail that somebody else made. */
export class Visitor {
  readonly jid: number;
  readonly monitor: ModelProcess;
  readonly commands: Commands;
  /** Settles when the jail is gone. */
  readonly gone: Promise<void>;
  readonly #kernel: ModelKernel;
  readonly #prison: Prison | undefined;
  #tellGone: () => void = () => {};
  /** Who made it, if that was this package. */
  readonly #keeper: JailKeeper | null;
  #stopping = false;

  /** @throws JailSystemError step `monitor` */
  constructor(kernel: ModelKernel, jid: number, keeper: JailKeeper | null, keepAlive: KeepAlive) {
    this.#kernel = kernel;
    this.jid = jid;
    this.#keeper = keeper;
    this.#prison = kernel.prisons.find(jid);
    this.monitor = startMonitor(kernel);
    const limits = keeper?.spec.limits.rlimits ?? [];
    this.commands = new Commands(kernel, this.monitor, jid, limits, keepAlive);
    this.gone = new Promise((resolve) => {
      this.#tellGone = () => {
        this.leave();
        resolve();
      };
      kernel.prisons.onChange((prison, event) => {
        if (event === 'gone' && prison === this.#prison) this.#tellGone();
      });
      // Of a jail that lingers the kernel says nothing: its own monitor does.
      void keeper?.gone.then(() => this.#tellGone());
    });
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  get isLost(): boolean {
    return this.#keeper?.isLost ?? false;
  }

  /** Ends the jail: whoever made it takes it back; one of nobody's vanishes when nothing is in it. */
  async stop(signal: number, graceMs: number, steps: StepSink | null): Promise<void> {
    this.#stopping = true;
    if (this.#keeper !== null) {
      await this.#keeper.stop(signal, graceMs, steps);
      return;
    }
    const reads = readsBy(this.#kernel, () => this.monitor);
    if (graceMs > 0 && countLiving(reads, this.jid) > 0) {
      signalInside(this.monitor, this.jid, kernelSignal(signal));
      await waitUntil(() => !this.#exists() || countLiving(reads, this.jid) === 0, graceMs);
    }
    if (this.#exists()) killAll(this.#kernel, this.monitor, reads, this.jid);
    this.commands.reapStrays();
    if (await waitUntil(() => !this.#exists() || this.#lingers(), GONE_MS)) return;
    const where = { step: 'release', syscall: 'jail', jid: this.jid };
    throw systemError(this.monitor.error('EBUSY'), where);
  }

  /** Lets go of the jail: what was run here ends. */
  leave(): void {
    if (this.monitor.hasEnded) return;
    this.commands.kill();
    endMonitor(this.#kernel, this.monitor);
  }

  #exists(): boolean {
    return this.#kernel.prisons.find(this.jid) === this.#prison && this.#prison !== undefined;
  }

  // Of somebody else's jail only the kernel's list tells.
  #lingers(): boolean {
    if (this.#prison === undefined || !isHeldByConnections(this.#kernel, this.#prison))
      return false;
    const reads = readsBy(this.#kernel, () => this.monitor);
    const row = readListing(reads).rows.find(({ jid }) => jid === this.jid);
    if (row === undefined) return false;
    const { hostname, path } = row;
    const addresses = [...row.addresses];
    noteLingering(this.#kernel, this.#prison, { name: null, hostname, path, addresses });
    this.#tellGone();
    return true;
  }
}
