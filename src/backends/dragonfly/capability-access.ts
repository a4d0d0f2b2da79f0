import { type Capabilities, type CapabilityName, capabilityNames } from '../../capabilities.js';
import { unsupported } from '../../errors.js';
import {
  type CapabilityVocabulary,
  defaultNode,
  detectVocabulary,
  hasOwnNodes,
  isKnown,
  jailNode,
  readCapabilities,
} from './capability-nodes.js';
import { failedWith, type KernelReads, nodeExists } from './kernel-reads.js';
import { decodeInt, encodeInt } from './sysctl-value.js';

const ON = encodeInt(1);
const OFF = encodeInt(0);

/** The capabilities of jails, by whichever names the kernel has for them. */
export class CapabilityAccess {
  readonly #reads: KernelReads;
  #vocabulary: CapabilityVocabulary | null = null;

  constructor(reads: KernelReads) {
    this.#reads = reads;
  }

  /** The names that this kernel has, found out once. @throws JailError `ERR_JAIL_UNSUPPORTED`: it has no jails */
  get vocabulary(): CapabilityVocabulary {
    this.#vocabulary ??= detectVocabulary((name) => nodeExists(this.#reads, name));
    if (this.#vocabulary === null) throw unsupported('Jails', 'this kernel has no jail.list');
    return this.#vocabulary;
  }

  /** What new jails get from the kernel; up to 5.6 what all of them have. */
  defaults(): Capabilities {
    return readCapabilities(
      this.vocabulary,
      (node) => this.#read(node),
      (name) => defaultNode(this.vocabulary, name),
    );
  }

  /** As {@link defaults}, with what {@link check} insists on. */
  safeDefaults(): Capabilities {
    const defaults = this.defaults();
    return this.#mustNotRefuseHostnames ? { ...defaults, setHostname: true } : defaults;
  }

  /** What a jail may do; null: it is gone, or its number has no nodes. */
  of(jid: number): Capabilities | null {
    if (this.vocabulary === 'global') return this.defaults();
    if (!hasOwnNodes(jid)) return null;
    try {
      return readCapabilities(
        this.vocabulary,
        (node) => this.#read(node),
        (name) => jailNode(jid, name),
      );
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return null;
      throw error;
    }
  }

  /**
   * Refuses capabilities that this kernel cannot give to a single jail.
   *
   * @throws JailError `ERR_JAIL_UNSUPPORTED`
   */
  check(wanted: Readonly<Capabilities>): void {
    const { vocabulary } = this;
    for (const name of capabilityNames) {
      if (wanted[name] && !isKnown(vocabulary, name)) {
        throw unsupported(`The capability ${name}`, 'this kernel does not know it');
      }
    }
    if (vocabulary === 'global') this.#mustMatch(wanted, 'all jails of this kernel have the same');
    if (this.#mustNotRefuseHostnames && !wanted.setHostname) {
      const reason =
        'a refused sethostname(3) would leave the lock of all sysctls of this kernel held';
      throw unsupported('The capability setHostname: false', reason, 'leave setHostname on');
    }
  }

  /**
   * Gives a jail its capabilities, every one of them.
   *
   * @throws JailError `ERR_JAIL_UNSUPPORTED`: a jid above 99,999 has no nodes, and the kernel's defaults differ
   */
  write(jid: number, wanted: Readonly<Capabilities>): void {
    if (this.vocabulary === 'global') return; // checked to be what they are
    if (!hasOwnNodes(jid)) {
      this.#mustMatch(wanted, `the nodes of jail ${jid} cannot be told from those of another jail`);
      return;
    }
    for (const name of capabilityNames) {
      if (!isKnown(this.vocabulary, name)) continue;
      this.#reads.set(jailNode(jid, name), wanted[name] ? ON : OFF);
    }
  }

  get #mustNotRefuseHostnames(): boolean {
    return this.vocabulary !== 'jail-fs';
  }

  #mustMatch(wanted: Readonly<Capabilities>, reason: string): void {
    const defaults = this.defaults();
    const other = capabilityNames.find((name) => defaults[name] !== wanted[name]);
    if (other === undefined) return;
    const hint = `change ${this.#nodeText(other)} with sysctl(8)`;
    throw unsupported(`The capability ${other}: ${wanted[other]}`, reason, hint);
  }

  #nodeText(name: CapabilityName): string {
    return defaultNode(this.vocabulary, name) ?? 'jail.defaults';
  }

  #read(node: string): number {
    return decodeInt(this.#reads.get(node));
  }
}
