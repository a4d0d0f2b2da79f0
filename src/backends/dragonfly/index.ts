import { release } from 'node:os';
import { join } from 'node:path';
import { type Capabilities, decodeCapabilities, initialCapabilities } from '../../capabilities.js';
import { JailError } from '../../errors.js';
import { specBody } from '../../monitor/bodies.js';
import { MonitorConnection } from '../../monitor/connection.js';
import { type MonitorHost, monitorHost } from '../../monitor/host.js';
import { nativeFailure, type RawJail } from '../../native.js';
import type { JailInfo, PlanStep, Probe, ProcessInfo, RecoveredJail } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';
import type { Backend } from '../backend.js';
import { jailInfo } from '../linux/entries.js';
import { recoverAll } from '../linux/recover.js';
import { stateDirectory } from '../linux/state-dir.js';
import { CapabilityAccess } from './capability-access.js';
import type { KernelReads } from './kernel-reads.js';
import { checkSpec } from './limits.js';
import { listJails, listProcesses, type OwnEntry, signalJail } from './listing.js';
import { planJail } from './plan.js';
import { probeDragonfly } from './probe.js';

/**
 * Jails of DragonFly itself: made and entered by monitors, listed and tuned by sysctls. The quirks and what is done about
 * them: docs/dragonfly.md.
 */
export class DragonflyBackend implements Backend {
  readonly name = 'dragonfly';
  readonly #reads: KernelReads;
  readonly #capabilities: CapabilityAccess;
  readonly #owned = new Set<number>();
  readonly #swept = new Set<string>();
  // Not the kernel's template, which has everything off until rc.d/jail has run: a jail always gets all of its own.
  #defaults = initialCapabilities();

  /** @param reads the kernel, by the addon */
  constructor(reads: KernelReads) {
    this.#reads = reads;
    this.#capabilities = new CapabilityAccess(reads);
  }

  checkSpec(spec: ResolvedSpec): void {
    checkSpec(spec);
    this.checkCapabilities(spec.capabilities);
  }

  checkCapabilities(capabilities: Readonly<Capabilities>): void {
    attempt(() => this.#capabilities.check(capabilities));
  }

  plan(spec: ResolvedSpec): readonly PlanStep[] {
    return planJail(spec);
  }

  probe(): Probe {
    return probeDragonfly('dragonfly', release(), process.geteuid?.() === 0, this.#capabilities);
  }

  async create(spec: ResolvedSpec, signal: AbortSignal | null): Promise<MonitorConnection> {
    const host = monitorHost(stateDirectory());
    this.#sweep(host);
    const connection = await MonitorConnection.create(host, specBody(spec, host.stateDir), signal);
    const { jid } = connection;
    this.#owned.add(jid);
    void connection.ended.then(() => this.#owned.delete(jid));
    return connection;
  }

  async open(id: number | string): Promise<MonitorConnection> {
    const host = monitorHost(stateDirectory());
    const entry = attempt(() => host.native.findEntry(host.stateDir, id));
    if (entry !== null && entry.socket !== '') {
      return MonitorConnection.adopt(host, entry.jid, entry.name || null, entry.socket);
    }
    // By number every jail can be entered, whoever made it: jail(8), rc.d, another program.
    const jid = entry?.jid ?? (typeof id === 'number' && this.find(id) !== null ? id : null);
    if (jid === null) throw notFound(id);
    return MonitorConnection.enter(host, jid, entry?.name || null);
  }

  list(): JailInfo[] {
    return attempt(() => listJails(this.#reads, this.#entries()));
  }

  find(jid: number): JailInfo | null {
    return this.list().find((info) => info.jid === jid) ?? null;
  }

  capabilitiesOf(jid: number): Capabilities | null {
    const own = attempt(() => this.#capabilities.of(jid));
    if (own !== null) return own;
    const { native, stateDir } = monitorHost(stateDirectory());
    const entry = attempt(() => native.findEntry(stateDir, jid));
    return entry === null ? null : decodeCapabilities(entry.capabilities);
  }

  processes(): ProcessInfo[] {
    return attempt(() => listProcesses(this.#reads, null));
  }

  jailProcesses(jid: number): ProcessInfo[] {
    return attempt(() => listProcesses(this.#reads, jid));
  }

  signal(jid: number, signal: number): number {
    return attempt(() => signalJail(this.#reads, jid, signal));
  }

  defaultCapabilities(): Capabilities {
    return { ...this.#defaults };
  }

  setDefaultCapabilities(capabilities: Readonly<Capabilities>): void {
    this.checkCapabilities(capabilities);
    this.#defaults = { ...capabilities };
  }

  async recover(): Promise<RecoveredJail[]> {
    return recoverAll(monitorHost(stateDirectory()));
  }

  watchedDirectory(): string {
    return join(stateDirectory(), 'jails');
  }

  #entries(): OwnEntry[] {
    const { native, stateDir } = monitorHost(stateDirectory());
    return native.listEntries(stateDir).map((raw) => this.#ownEntry(raw));
  }

  #ownEntry(raw: RawJail): OwnEntry {
    const info = jailInfo(raw, this.#owned.has(raw.jid));
    return { ...info, stopping: info.state === 'stopping' };
  }

  // What an earlier program could not undo, since it was killed together with its monitor.
  #sweep({ native, stateDir }: MonitorHost): void {
    if (this.#swept.has(stateDir)) return;
    this.#swept.add(stateDir);
    native.recover(stateDir, 0).catch(() => {});
  }
}

function notFound(id: number | string): JailError {
  const hint = 'listJails() tells which are there; a hostname is no name';
  return new JailError('ERR_JAIL_NOT_FOUND', `There is no jail ${JSON.stringify(id)}`, { hint });
}

function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw nativeFailure(error);
  }
}
