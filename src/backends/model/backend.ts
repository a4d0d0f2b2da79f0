import { abortError } from '../../abort.js';
import type { Capabilities } from '../../capabilities.js';
import { JailError, JailSystemError, jailNotFound } from '../../errors.js';
import type { AttachReport, Probe, RecoveredJail } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';
import type { Backend, HostSetup, InsideView, StepSink } from '../backend.js';
import { refuseInJail } from '../dragonfly/attach.js';
import { KernelBackend } from '../dragonfly/kernel-backend.js';
import type { LingeringJail } from '../dragonfly/lingering.js';
import { type OwnEntry, signalJail } from '../dragonfly/listing.js';
import { attach } from './attach.js';
import { type ConnectionKind, type Host, ModelConnection } from './connection.js';
import { readsBy } from './host-reads.js';
import { modelSetup } from './host-setup.js';
import { insideOf } from './inside.js';
import { KeepAlive } from './keep-alive.js';
import { JailKeeper, type Undone } from './keeper.js';
import type { ModelKernel } from './kernel.js';
import { lingeringJails } from './lingering.js';
import type { ModelProcess } from './model-process.js';
import { endMonitor } from './monitor.js';
import { during, kernelSignal } from './translate.js';
import type { UndoList } from './undo-list.js';
import { Visitor } from './visitor.js';

const KILL = 9;

/** The backend of DragonFly with a model in place of the kernel: codecs, checks and steps are the same. */
export class ModelBackend extends KernelBackend implements Backend {
  readonly name = 'model';
  readonly inside: InsideView;
  readonly #kernel: ModelKernel;
  readonly #keepAlive = new KeepAlive();
  /** By jid: those that this package has made. */
  readonly #keepers = new Map<number, JailKeeper>();
  /** Those whose number another jail has by now, and of which something may be left. */
  readonly #outlived = new Set<JailKeeper>();
  /** What failed attempts to make a jail have left. */
  #left: { name: string | null; undo: UndoList; monitor: ModelProcess }[] = [];

  /** @param kernel the kernel; two backends of one kernel are two programs on it */
  constructor(kernel: ModelKernel) {
    super(readsBy(kernel, () => kernel.host));
    this.#kernel = kernel;
    this.inside = insideOf(kernel);
  }

  probe(): Probe {
    return this.probeAs('model', this.#kernel.traits.release);
  }

  async create(
    spec: ResolvedSpec,
    signal: AbortSignal | null,
    steps: StepSink | null,
  ): Promise<ModelConnection> {
    await null; // no error and no jail before the caller has its promise
    if (signal?.aborted) throw abortError(signal);
    this.ask(() => refuseInJail(this.reads));
    this.#refuseName(spec.name);
    const leave = (undo: UndoList, monitor: ModelProcess) => {
      this.#left.push({ name: spec.name, undo, monitor });
    };
    const keeper = JailKeeper.make(this.#kernel, spec, this.#keepAlive, leave, steps);
    this.#keep(keeper);
    void keeper.gone.then(() => {
      if (keeper.isGone) this.#forget(keeper);
    });
    if (!signal?.aborted) return this.#connect(keeper, 'created', spec);
    await keeper.stop(KILL, 0, null);
    throw abortError(signal);
  }

  async open(id: number | string): Promise<ModelConnection> {
    await null;
    const keeper = this.#findKeeper(id);
    if (keeper?.spec.persist) return this.#connect(keeper, 'adopted', keeper.spec);
    const jid = keeper?.jid ?? (typeof id === 'number' && this.find(id) !== null ? id : null);
    if (jid === null) throw jailNotFound(id);
    const visitor = new Visitor(this.#kernel, jid, keeper, this.#keepAlive);
    return this.#connect(visitor, 'entered', { name: keeper?.spec.name ?? null, persist: false });
  }

  capabilitiesOf(jid: number): Capabilities | null {
    const own = this.ask(() => this.capabilities.of(jid));
    if (own !== null) return own;
    const keeper = this.#keepers.get(jid);
    return keeper === undefined ? null : { ...keeper.spec.capabilities };
  }

  signal(jid: number, signal: number): number {
    const where = { step: 'signal', syscall: 'kill', jid };
    return during(where, () => signalJail(this.reads, jid, kernelSignal(signal)));
  }

  async recover(): Promise<RecoveredJail[]> {
    await null;
    const reports: RecoveredJail[] = [];
    for (const keeper of [...this.#keepers.values(), ...this.#outlived]) {
      if (!keeper.isStopping) continue;
      reports.push(report(keeper.jid, keeper.spec.name, keeper.recover()));
      if (keeper.isGone) this.#forget(keeper);
    }
    const left = this.#left;
    this.#left = [];
    for (const item of left) {
      reports.push(report(0, item.name, item.undo.run(item.monitor)));
      if (item.undo.isEmpty) endMonitor(this.#kernel, item.monitor);
      else this.#left.push(item);
    }
    return reports;
  }

  stateDirectory(): null {
    return null;
  }

  watchedDirectory(): null {
    return null;
  }

  hostSetup(): HostSetup {
    return modelSetup(this.#kernel);
  }

  protected override ask<T>(question: () => T): T {
    return during({ step: 'register', syscall: 'sysctl' }, question);
  }

  protected override get privileged(): boolean {
    return this.#kernel.host.uid === 0;
  }

  // The program on a model is its host's first process.
  protected override enterJail(jid: number): AttachReport {
    return during({ step: 'attach', syscall: 'jail_attach', jid }, () => attach(this.#kernel, jid));
  }

  protected override entries(): OwnEntry[] {
    return this.#present().map((keeper) => keeper.entry(true));
  }

  protected override lingering(): LingeringJail[] {
    return lingeringJails(this.#kernel);
  }

  #connect(
    host: Host,
    kind: ConnectionKind,
    { name, persist }: { readonly name: string | null; readonly persist: boolean },
  ): ModelConnection {
    const { jid } = host;
    const tune = (capabilities: Readonly<Capabilities>) => this.#tune(jid, capabilities);
    return new ModelConnection(host, { kind, name, persist, keepAlive: this.#keepAlive, tune });
  }

  #tune(jid: number, capabilities: Readonly<Capabilities>): void {
    const where = { step: 'capabilities', syscall: 'sysctl', jid };
    during(where, () => this.capabilities.write(jid, capabilities));
  }

  #findKeeper(id: number | string): JailKeeper | null {
    const fits = (keeper: JailKeeper) => keeper.jid === id || keeper.spec.name === id;
    return this.#present().find(fits) ?? null;
  }

  // Jails of before a boot, or of another with the same number, are not there any more, whatever is left of them.
  #present(): JailKeeper[] {
    return [...this.#keepers.values()].filter((keeper) => keeper.isThere);
  }

  #keep(keeper: JailKeeper): void {
    const before = this.#keepers.get(keeper.jid);
    if (before !== undefined) this.#outlived.add(before);
    this.#keepers.set(keeper.jid, keeper);
  }

  #forget(keeper: JailKeeper): void {
    this.#outlived.delete(keeper);
    if (this.#keepers.get(keeper.jid) === keeper) this.#keepers.delete(keeper.jid);
  }

  #refuseName(name: string | null): void {
    if (name === null || this.#findKeeper(name) === null) return;
    const message = `There is a jail with the name ${name} already (step register)`;
    throw new JailError('ERR_JAIL_EXISTS', message);
  }
}

function report(jid: number, name: string | null, { undone, failed }: Undone): RecoveredJail {
  const failures = failed.map(({ what, error }) => ({ what, error: asSystemError(error, jid) }));
  return { jid, name, undone: [...undone], failed: failures };
}

function asSystemError(error: Error, jid: number): JailSystemError {
  if (error instanceof JailSystemError) return error;
  const details = { errno: 0, syscall: 'unknown', jid, cause: error };
  return new JailSystemError({ ...details, code: 'UNKNOWN', description: error.message });
}
