import type { Native, RawJail } from '../native.js';
import type { JailInfo } from '../reports.js';
import { jailInfo } from './entries.js';

// What scanJails() gives: how often hostnames were changed, then three numbers for each jail.
const JID = 0;
const GENERATION = 1; // 0: not known
const ACTIVITY = 2;
const COLUMNS = 3;
const ACTIVITIES = ['empty', 'empty', 'running', 'stopping'] as const;

// From so many unknown jails on it is cheaper to read all.
const MANY = 8;

/** A jail as it was read, true while its generation is the same and nobody has renamed a jail. */
interface Known {
  readonly generation: number;
  readonly info: JailInfo;
}

/**
 * Lists the jails of one registry, again and again: an entry is read once, and what changes (which jails there are, what
 * happens in them, their hostnames) costs next to nothing as long as it has not changed.
 */
export class JailListing {
  readonly stateDir: string;
  readonly #known = new Map<number, Known>();
  #renames = -1;

  /** @param stateDir the registry */
  constructor(stateDir: string) {
    this.stateDir = stateDir;
  }

  /**
   * The jails that there are now.
   *
   * @param native  the addon
   * @param isOwned was a jail made by this program?
   * @returns by jid; objects of the caller's own
   */
  list(native: Native, isOwned: (jid: number) => boolean): JailInfo[] {
    const scan = native.scanJails(this.stateDir);
    const jails = scan === null ? this.#readAll(native) : this.#look(native, scan);
    for (const jail of jails) jail.owned = isOwned(jail.jid);
    return jails.sort((a, b) => a.jid - b.jid);
  }

  #readAll(native: Native): JailInfo[] {
    return native.listEntries(this.stateDir).map((raw) => jailInfo(raw, false));
  }

  #look(native: Native, scan: Uint32Array): JailInfo[] {
    const [renames = 0] = scan;
    if (renames !== this.#renames) this.#known.clear();
    this.#renames = renames;
    const rows = scan.subarray(1);
    this.#learn(native, rows);
    const jails: JailInfo[] = [];
    for (let row = 0; row < rows.length; row += COLUMNS) {
      const known = this.#known.get(rows[row + JID] ?? 0);
      if (known === undefined) continue; // gone meanwhile
      const told = known.generation !== 0 && ACTIVITIES[rows[row + ACTIVITY] ?? 0];
      jails.push(copy(known.info, told || known.info.state));
    }
    return jails;
  }

  // Reads what is new, and forgets what is gone.
  #learn(native: Native, rows: Uint32Array): void {
    const fresh = new Map<number, number>();
    for (let row = 0; row < rows.length; row += COLUMNS) {
      const jid = rows[row + JID] ?? 0;
      const generation = rows[row + GENERATION] ?? 0;
      const known = this.#known.get(jid)?.generation;
      if (generation === 0 || known !== generation) fresh.set(jid, generation);
    }
    for (const raw of this.#read(native, fresh)) {
      const generation = fresh.get(raw.jid);
      if (generation === undefined) continue;
      this.#known.set(raw.jid, { generation, info: jailInfo(raw, false) });
    }
    if (this.#known.size > rows.length / COLUMNS) this.#forget(rows);
  }

  #read(native: Native, fresh: ReadonlyMap<number, number>): RawJail[] {
    for (const jid of fresh.keys()) this.#known.delete(jid);
    if (fresh.size >= MANY) return native.listEntries(this.stateDir);
    const found = [...fresh.keys()].map((jid) => native.findEntry(this.stateDir, jid));
    return found.filter((raw) => raw !== null);
  }

  #forget(rows: Uint32Array): void {
    const there = new Set<number>();
    for (let row = 0; row < rows.length; row += COLUMNS) there.add(rows[row + JID] ?? 0);
    for (const jid of this.#known.keys()) if (!there.has(jid)) this.#known.delete(jid);
  }
}

function copy(jail: JailInfo, state: JailInfo['state']): JailInfo {
  const addresses = jail.addresses.map((address) => ({ ...address }));
  return { ...jail, addresses, state };
}
