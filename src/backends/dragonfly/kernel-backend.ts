import { type Capabilities, initialCapabilities } from '../../capabilities.js';
import { jailNotFound } from '../../errors.js';
import type { AttachReport, JailInfo, PlanStep, Probe, ProcessInfo } from '../../reports.js';
import type { ResolvedSpec } from '../../spec.js';
import { checkAttach } from './attach.js';
import { CapabilityAccess } from './capability-access.js';
import { isJailed, type KernelReads, readPatiently } from './kernel-reads.js';
import { checkSpec } from './limits.js';
import { type LingeringJail, withLingering } from './lingering.js';
import { listJails, listProcesses, type OwnEntry } from './listing.js';
import { planJail } from './plan.js';
import { probeDragonfly } from './probe.js';

/** What a backend on a DragonFly kernel does without a monitor: on the real one and on the model alike. */
export abstract class KernelBackend {
  protected readonly reads: KernelReads;
  protected readonly capabilities: CapabilityAccess;
  // Not the kernel's template, which has everything off until rc.d/jail has run: a jail always gets all of its own.
  #defaults = initialCapabilities();

  /** @param reads the kernel */
  constructor(reads: KernelReads) {
    this.reads = reads;
    this.capabilities = new CapabilityAccess(reads);
  }

  /** Is this root? */
  protected abstract get privileged(): boolean;
  /** Moves this process into a jail, when it may and the jail is there. */
  protected abstract enterJail(jid: number): AttachReport;
  /** Asks the kernel; its errors become those of this package. */
  protected abstract ask<T>(question: () => T): T;
  /** The jails that this package knows of. */
  protected abstract entries(): OwnEntry[];
  /** Those that have ended, while connections hold their jids. */
  protected abstract lingering(): LingeringJail[];

  checkSpec(spec: ResolvedSpec): void {
    checkSpec(spec);
    this.checkCapabilities(spec.capabilities);
  }

  checkCapabilities(capabilities: Readonly<Capabilities>): void {
    this.ask(() => this.capabilities.check(capabilities));
  }

  plan(spec: ResolvedSpec): readonly PlanStep[] {
    return planJail(spec);
  }

  list({ lingering = false }: { readonly lingering?: boolean } = {}): JailInfo[] {
    return this.ask(() => {
      const ended = this.lingering();
      const jails = listJails(this.reads, this.entries(), ended);
      return lingering ? withLingering(jails, ended) : jails;
    });
  }

  jailList(): Uint8Array {
    return this.ask(() => readPatiently(() => this.reads.get('jail.list')));
  }

  find(jid: number): JailInfo | null {
    return this.list().find((info) => info.jid === jid) ?? null;
  }

  processes(): ProcessInfo[] {
    return this.ask(() => listProcesses(this.reads, null));
  }

  jailProcesses(jid: number): ProcessInfo[] {
    return this.ask(() => listProcesses(this.reads, jid));
  }

  attach(jid: number): AttachReport {
    this.ask(() => checkAttach(this.reads, this.privileged, jid));
    if (this.find(jid) === null) throw jailNotFound(jid);
    return this.enterJail(jid);
  }

  newJailCapabilities(): Capabilities {
    return this.ask(() => this.capabilities.safeDefaults());
  }

  defaultCapabilities(): Capabilities {
    return { ...this.#defaults };
  }

  setDefaultCapabilities(capabilities: Readonly<Capabilities>): void {
    this.checkCapabilities(capabilities);
    this.#defaults = { ...capabilities };
  }

  /** @see probeDragonfly */
  protected probeAs(backend: Probe['backend'], release: string): Probe {
    return this.ask(() => {
      const jailed = isJailed(this.reads);
      return probeDragonfly(backend, release, this.privileged, jailed, this.capabilities);
    });
  }
}
