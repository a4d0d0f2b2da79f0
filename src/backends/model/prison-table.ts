import { fail } from './kernel-error.js';
import type { Place } from './place.js';
import { Prison, type PrisonParts, prisonAddressText } from './prison.js';

const JAIL_MAX = 999_999;
/** What the kernel has for each jail of the list; all of them share the sum. */
const SHARE = 1024;

/** All jails. */
export class PrisonTable {
  /** Newest first. */
  readonly #prisons: Prison[] = [];
  readonly #byJid = new Map<number, Prison>();
  /** Told of every jail that came or went. */
  readonly #listeners = new Set<(prison: Prison, event: 'created' | 'gone') => void>();
  #last = 0;

  get all(): readonly Prison[] {
    return this.#prisons;
  }

  find(jid: number): Prison | undefined {
    return this.#byJid.get(jid);
  }

  onChange(listener: (prison: Prison, event: 'created' | 'gone') => void): void {
    this.#listeners.add(listener);
  }

  /** Takes the next number, whether or not a jail comes of it. The search only goes up. @throws KernelError ERANGE */
  takeJid(): number {
    let jid = this.#last + 1;
    if (jid >= JAIL_MAX) jid = 1;
    while (this.#byJid.has(jid)) if (++jid >= JAIL_MAX) fail('ERANGE');
    this.#last = jid;
    return jid;
  }

  /** As if so many jails had been there already. */
  setLastJid(jid: number): void {
    this.#last = jid;
  }

  /** None is left; numbers begin again. */
  reboot(): void {
    for (const prison of [...this.#prisons]) this.#remove(prison);
    this.#last = 0;
  }

  add(parts: PrisonParts): Prison {
    const prison = new Prison(parts, (gone) => this.#remove(gone));
    this.#prisons.unshift(prison);
    this.#byJid.set(prison.jid, prison);
    for (const listener of this.#listeners) listener(prison, 'created');
    return prison;
  }

  #remove(prison: Prison): void {
    if (this.#byJid.get(prison.jid) !== prison) return;
    this.#prisons.splice(this.#prisons.indexOf(prison), 1);
    this.#byJid.delete(prison.jid);
    for (const listener of this.#listeners) listener(prison, 'gone');
  }

  /**
   * `jail.list` as somebody on the host sees it. Jails whose root is not below theirs are left out.
   *
   * @throws KernelError ERANGE: an address does not fit in what is left. (What is longer without any address makes the
   *   real kernel read behind its buffer; here it is ERANGE too.)
   */
  list(viewerRoot: Place): string {
    let text = '';
    const room = SHARE * this.#prisons.length;
    for (const prison of this.#prisons) {
      const row = prison.row(viewerRoot);
      if (row === null) continue;
      text += text === '' ? row : `\n${row}`;
      let used = Buffer.byteLength(text);
      for (const address of prison.addresses) {
        const word = prisonAddressText(address);
        if (used + word.length + 2 > room) fail('ERANGE');
        text += ` ${word}`;
        used += 1 + word.length;
      }
      if (used > room) fail('ERANGE');
    }
    return text;
  }
}
