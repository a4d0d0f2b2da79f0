import { release } from 'node:os';
import { join } from 'node:path';
import { type Capabilities, decodeCapabilities, initialCapabilities } from '../../capabilities.js';
import { jailNotFound, unsupported } from '../../errors.js';
import { specBody } from '../../monitor/bodies.js';
import { MonitorConnection } from '../../monitor/connection.js';
import { type MonitorHost, monitorHost } from '../../monitor/host.js';
import { orNotFound } from '../../monitor/opening.js';
import { type Native, nativeFailure, type RawJail } from '../../native.js';
import { jailInfo } from '../../registry/entries.js';
import { JailListing } from '../../registry/listing.js';
import { recoverAll, sweepOnce } from '../../registry/recover.js';
import { stateDirectory } from '../../registry/state-dir.js';
import type { JailInfo, PlanStep, Probe, ProcessInfo, RecoveredJail } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';
import type { Backend, StepSink } from '../backend.js';
import { jailListText } from '../dragonfly/jail-list.js';
import { checkCapabilities, checkRawSockets, checkSpec } from './limits.js';
import { thisMachine } from './machine.js';
import { planJail } from './plan.js';
import { NO_ATTACH, probeLinux } from './probe.js';
import { readProcessTable } from './process-table.js';

const RUN_FOLDER = '/run';

/** Jails made of namespaces. The design and its reasons: docs/linux.md. */
export class LinuxBackend implements Backend {
  readonly name = 'linux';
  readonly inside = null;
  /** Jails made here, as `<state directory>:<jid>`. */
  readonly #owned = new Set<string>();
  /** Of the registry that was listed last. */
  #listing: JailListing | null = null;
  // Linux has no place for them: they are this process's own.
  #defaults = initialCapabilities();

  checkSpec(spec: ResolvedSpec): void {
    checkSpec(spec, release());
  }

  checkCapabilities(capabilities: Readonly<Capabilities>, jid?: number): void {
    checkCapabilities(capabilities);
    if (jid === undefined || !capabilities.rawSockets) return;
    const addresses = this.find(jid)?.addresses ?? [];
    checkRawSockets(
      addresses.map(({ address }) => address),
      thisMachine(),
    );
  }

  plan(spec: ResolvedSpec): readonly PlanStep[] {
    return planJail(spec, process.geteuid?.() === 0);
  }

  probe(): Probe {
    return probeLinux();
  }

  async create(
    spec: ResolvedSpec,
    signal: AbortSignal | null,
    steps: StepSink | null,
  ): Promise<MonitorConnection> {
    const host = monitorHost(this.stateDirectory());
    sweepOnce(host);
    const body = specBody(spec, host.stateDir);
    const connection = await MonitorConnection.create(host, body, signal, steps);
    this.#own(host, connection);
    return connection;
  }

  async open(id: number | string): Promise<MonitorConnection> {
    const host = monitorHost(this.stateDirectory());
    const entry = attempt(() => host.native.findEntry(host.stateDir, id));
    if (entry === null) throw jailNotFound(id);
    const name = entry.name === '' ? null : entry.name;
    return orNotFound(host, id, entry.jid, () =>
      entry.socket === ''
        ? MonitorConnection.enter(host, entry.jid, name)
        : MonitorConnection.adopt(host, entry.jid, name, entry.socket),
    );
  }

  list(): JailInfo[] {
    return this.#read((native, stateDir) => {
      if (this.#listing?.stateDir !== stateDir) this.#listing = new JailListing(stateDir);
      return this.#listing.list(native, (jid) => this.#owned.has(key(stateDir, jid)));
    });
  }

  jailList(): Uint8Array {
    return jailListText(this.list());
  }

  find(jid: number): JailInfo | null {
    const entry = this.#read((native, stateDir) => native.findEntry(stateDir, jid));
    return entry === null ? null : this.#info(entry);
  }

  capabilitiesOf(jid: number): Capabilities | null {
    const entry = this.#read((native, stateDir) => native.findEntry(stateDir, jid));
    return entry === null ? null : decodeCapabilities(entry.capabilities);
  }

  processes(): ProcessInfo[] {
    return readProcessTable(this.#read((native, stateDir) => native.listProcesses(stateDir)));
  }

  jailProcesses(jid: number): ProcessInfo[] {
    return readProcessTable(this.#read((native, stateDir) => native.jailProcesses(stateDir, jid)));
  }

  signal(jid: number, signal: number): number {
    return this.#read((native, stateDir) => native.signalJail(stateDir, jid, signal));
  }

  attach(): never {
    throw unsupported('attach()', NO_ATTACH.reason, NO_ATTACH.hint);
  }

  newJailCapabilities(): Capabilities {
    return this.defaultCapabilities();
  }

  defaultCapabilities(): Capabilities {
    return { ...this.#defaults };
  }

  setDefaultCapabilities(capabilities: Readonly<Capabilities>): void {
    this.#defaults = { ...capabilities };
  }

  async recover(): Promise<RecoveredJail[]> {
    return recoverAll(monitorHost(this.stateDirectory()));
  }

  stateDirectory(env?: NodeJS.ProcessEnv): string {
    return stateDirectory(RUN_FOLDER, env);
  }

  watchedDirectory(): string {
    return join(this.stateDirectory(), 'jails');
  }

  // Jails are namespaces here, and their mounts and addresses go with them.
  hostSetup(): null {
    return null;
  }

  #read<T>(reader: (native: Native, stateDir: string) => T): T {
    const { native, stateDir } = monitorHost(this.stateDirectory());
    return attempt(() => reader(native, stateDir));
  }

  #info(entry: RawJail): JailInfo {
    return jailInfo(entry, this.#owned.has(key(this.stateDirectory(), entry.jid)));
  }

  #own({ stateDir }: MonitorHost, connection: MonitorConnection): void {
    const mine = key(stateDir, connection.jid);
    this.#owned.add(mine);
    void connection.ended.then(() => this.#owned.delete(mine));
  }
}

function key(stateDir: string, jid: number): string {
  return `${stateDir}:${jid}`;
}

function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw nativeFailure(error, { step: 'register' });
  }
}
