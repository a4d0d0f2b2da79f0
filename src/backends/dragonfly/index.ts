import { release } from 'node:os';
import { join } from 'node:path';
import { canonicalAddress } from '../../addresses.js';
import { type Capabilities, decodeCapabilities } from '../../capabilities.js';
import { jailNotFound } from '../../errors.js';
import { specBody } from '../../monitor/bodies.js';
import { MonitorConnection } from '../../monitor/connection.js';
import { monitorHost } from '../../monitor/host.js';
import { orNotFound } from '../../monitor/opening.js';
import { loadNative, nativeFailure, type RawJail } from '../../native.js';
import { jailAddresses, jailInfo } from '../../registry/entries.js';
import { recoverAll, sweepOnce } from '../../registry/recover.js';
import { stateDirectory } from '../../registry/state-dir.js';
import type { AttachReport, LingeringConnection, Probe, RecoveredJail } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';
import type { Backend, HostSetup, StepSink } from '../backend.js';
import { enterJail, refuseInJail } from './attach.js';
import { nativeSetup } from './host-setup.js';
import { KernelBackend } from './kernel-backend.js';
import { endText, type LingeringJail } from './lingering.js';
import { type OwnEntry, signalJail } from './listing.js';
import { isLingeringNative, type RawConnection, type RawLingering } from './native-reads.js';

// DragonFly has no /run.
const RUN_FOLDER = '/var/run';

/**
 * Jails of DragonFly itself: made and entered by monitors, listed and tuned by sysctls. The quirks and what is done about
 * them: docs/dragonfly.md.
 */
export class DragonflyBackend extends KernelBackend implements Backend {
  readonly name = 'dragonfly';
  readonly inside = null;
  readonly #owned = new Set<number>();

  probe(): Probe {
    return this.probeAs('dragonfly', release());
  }

  async create(
    spec: ResolvedSpec,
    signal: AbortSignal | null,
    steps: StepSink | null,
  ): Promise<MonitorConnection> {
    this.ask(() => refuseInJail(this.reads));
    const host = monitorHost(this.stateDirectory());
    sweepOnce(host);
    const body = specBody(spec, host.stateDir);
    const connection = await MonitorConnection.create(host, body, signal, steps);
    const { jid } = connection;
    this.#owned.add(jid);
    void connection.ended.then(() => this.#owned.delete(jid));
    return connection;
  }

  async open(id: number | string): Promise<MonitorConnection> {
    const host = monitorHost(this.stateDirectory());
    const entry = this.ask(() => host.native.findEntry(host.stateDir, id));
    if (entry !== null && entry.socket !== '') {
      const { jid, name, socket } = entry;
      return orNotFound(host, id, jid, () =>
        MonitorConnection.adopt(host, jid, name || null, socket),
      );
    }
    // By number every jail can be entered, whoever made it: jail(8), rc.d, another program.
    const jid = entry?.jid ?? (typeof id === 'number' && this.find(id) !== null ? id : null);
    if (jid === null) throw jailNotFound(id);
    return MonitorConnection.enter(host, jid, entry?.name || null);
  }

  capabilitiesOf(jid: number): Capabilities | null {
    const own = this.ask(() => this.capabilities.of(jid));
    if (own !== null) return own;
    const { native, stateDir } = monitorHost(this.stateDirectory());
    const entry = this.ask(() => native.findEntry(stateDir, jid));
    return entry === null ? null : decodeCapabilities(entry.capabilities);
  }

  signal(jid: number, signal: number): number {
    return this.ask(() => signalJail(this.reads, jid, signal));
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

  hostSetup(): HostSetup {
    return nativeSetup(loadNative().native);
  }

  protected override get privileged(): boolean {
    return process.geteuid?.() === 0;
  }

  protected override enterJail(jid: number): AttachReport {
    return enterJail(loadNative().native, jid);
  }

  protected override entries(): OwnEntry[] {
    const { native, stateDir } = monitorHost(this.stateDirectory());
    return native.listEntries(stateDir).map((raw) => this.#ownEntry(raw));
  }

  protected override lingering(): LingeringJail[] {
    const { native, stateDir } = monitorHost(this.stateDirectory());
    if (!isLingeringNative(native)) return [];
    const noted = native.lingeringJails(stateDir);
    return noted.length === 0 ? [] : describeLingering(noted, native.endingConnections());
  }

  #ownEntry(raw: RawJail): OwnEntry {
    const info = jailInfo(raw, this.#owned.has(raw.jid));
    return { ...info, stopping: info.state === 'stopping' };
  }

  protected override ask<T>(question: () => T): T {
    try {
      return question();
    } catch (error) {
      throw nativeFailure(error);
    }
  }
}

function describeLingering(
  noted: readonly RawLingering[],
  connections: readonly RawConnection[],
): LingeringJail[] {
  return noted.map((raw) => {
    const { jid, name, hostname, path } = raw;
    const addresses = jailAddresses(raw.addresses, raw.scopeids);
    const own = connections.filter(({ local }) =>
      addresses.some(({ address }) => address === canonicalAddress(local)),
    );
    return { jid, name: name || null, hostname, path, addresses, connections: own.map(describe) };
  });
}

function describe(connection: RawConnection): LingeringConnection {
  const { local, localPort, remote, remotePort, state } = connection;
  return { local: endText(local, localPort), remote: endText(remote, remotePort), state };
}
