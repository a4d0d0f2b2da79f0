import assert from 'node:assert/strict';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { KernelError, type ModelProcess } from '#internal/backends/model/index.js';
import type { Outcome, Row } from '../recordings.js';
import { Correspondence, type Numbered } from './correspondence.js';

/** A case that is not replayed, and why. */
export interface LeftOut {
  readonly group: string;
  readonly case: string;
  readonly reason: string;
}

/** What came of a group of cases. */
export interface Replayed {
  readonly replayed: number;
  readonly leftOut: readonly LeftOut[];
  readonly differences: readonly string[];
  /** Numbers of jails that the recording has and no case tells of. */
  readonly jidsBetween: number;
}

/** Of a case that no replay knows. */
export const UNKNOWN = 'not replayed: unknown case';

/** Calls that return the number of something. */
const RETURNS: Readonly<Record<string, Numbered>> = {
  jail: 'jid',
  getppid: 'pid',
  getsid: 'pid',
  getpgid: 'pid',
};

/** Cases that mean something only after another: where they belong is told by that one. */
export interface Sections {
  readonly opens: (row: Row) => boolean;
  readonly within: (row: Row) => boolean;
}

const NO_SECTIONS: Sections = { opens: () => false, within: () => false };

/** The section of each case, by the name of the case that opens it; empty: none. */
export function sectionsOf(
  rows: readonly Row[],
  { opens, within }: Sections = NO_SECTIONS,
): string[] {
  let current = '';
  return rows.map((row) => {
    if (opens(row)) current = row.case;
    return opens(row) || within(row) ? current : '';
  });
}

/** One case, waiting to be replayed. */
interface Waiting {
  readonly row: Row;
  difference: string | null;
}

/**
 * Replays the cases of one group and boot. A replay makes the calls that the recorder made; each finds its case by what
 * it is: its name, its call, its arguments. So a recording can have fewer cases than the replay has calls, and more:
 * those are told of. Cases of one name stand in the order in which they happened.
 */
export class Replay {
  /** Which of the recording's numbers is which of ours. */
  readonly numbers = new Correspondence();
  readonly #group: string;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #leftOut: LeftOut[] = [];
  #replayed = 0;

  /**
   * @param rows    of one group and one boot
   * @param sections of the group, if a case can belong to one before it
   */
  constructor(rows: readonly Row[], sections: Sections = NO_SECTIONS) {
    this.#group = rows[0]?.group ?? '';
    const within = sectionsOf(rows, sections);
    for (const [index, row] of rows.entries()) {
      const key = keyOf(within[index] ?? '', row.case);
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), { row, difference: null }]);
    }
  }

  /** The cases that nobody has replayed yet. */
  get left(): Row[] {
    return [...this.#waiting.values()].flat().map(({ row }) => row);
  }

  /** The next case of that name; null: the recording has none, or no more. */
  find(name: string, section = '', which: (row: Row) => boolean = () => true): Row | null {
    return this.#find(name, section, which)?.row ?? null;
  }

  /**
   * Makes a call, and compares it with its case, if the recording has it.
   *
   * @param name of the case; numbers of jails in it are ours
   * @param call makes the call
   * @param more what else is to be compared
   * @param where.section which section it belongs to
   * @param where.which tells cases of one name apart
   */
  check(
    name: string,
    call: (row: Row | null) => Outcome,
    more: (row: Row) => void = () => {},
    where: { readonly section?: string; readonly which?: (row: Row) => boolean } = {},
  ): void {
    const { section = '', which = () => true } = where;
    const found = this.#find(name, section, which);
    const outcome = call(found?.row ?? null);
    if (found === undefined) return;
    try {
      this.numbers.attempt(() => {
        this.#sameName(name, found.row);
        this.agrees(found.row, outcome);
        more(found.row);
      });
    } catch (error) {
      found.difference ??= error instanceof Error ? error.message : String(error);
      return;
    }
    this.#take(section, found);
    this.#replayed++;
  }

  /** A look at `jail.list`, whose `ret` is the newest jail, or the one that it is about. */
  checkList(name: string, viewer: ModelProcess): void {
    this.check(
      name,
      (row) => ({ ret: row?.ret ?? 0, err: '0' }),
      (row) => this.listAgrees(row, viewer),
    );
  }

  /** Cases of that name are not replayed. */
  skip(name: string, reason: string): void {
    for (let found = this.#find(name, ''); found !== undefined; found = this.#find(name, '')) {
      this.#take('', found);
      this.#leftOut.push({ group: this.#group, case: name, reason });
    }
  }

  /** The call did what was recorded, number for number. */
  agrees(row: Row, { ret, err }: Outcome): void {
    const where = `${row.group}: ${row.case}`;
    const numbered = RETURNS[row.call];
    assert.equal(err, row.err, where);
    if (err !== '0') assert.equal(layout59.errno[row.err], row.errno, row.case);
    if (numbered === undefined || ret <= 0) assert.equal(ret, row.ret, where);
    else this.numbers.same(numbered, row.ret, ret, where);
  }

  /** `jail.list` holds what was recorded, byte for byte but for the numbers of the jails. */
  listAgrees(row: Row, viewer: ModelProcess): void {
    const where = `${row.group}: ${row.case}`;
    const { bytes, err } = readList(viewer);
    assert.equal(err, row.list_err, where);
    // `list` has a character for each byte; the hex is the same, and cut.
    const recorded = String(row.list ?? '');
    const hex = row.list_hex ?? '';
    assert.equal(recorded.length, row.list_len, where);
    assert.ok(Buffer.from(recorded, 'latin1').toString('hex').startsWith(hex), where);
    const shown = this.#renumbered(Buffer.from(bytes).toString('latin1'), recorded, where);
    assert.equal(shown, recorded, where);
  }

  /** Nothing differed; what nobody asked for is told of. */
  finish(): Replayed {
    const differences: string[] = [];
    for (const { row, difference } of [...this.#waiting.values()].flat()) {
      if (difference !== null) differences.push(difference);
      else this.#leftOut.push({ group: this.#group, case: row.case, reason: UNKNOWN });
    }
    const { jidsBetween } = this.numbers;
    return { replayed: this.#replayed, leftOut: this.#leftOut, differences, jidsBetween };
  }

  #find(name: string, section: string, which = (_row: Row) => true): Waiting | undefined {
    return this.#waiting.get(keyOf(section, name))?.find(({ row }) => which(row));
  }

  #take(section: string, taken: Waiting): void {
    const key = keyOf(section, taken.row.case);
    const others = (this.#waiting.get(key) ?? []).filter((waiting) => waiting !== taken);
    this.#waiting.set(key, others);
  }

  #sameName(name: string, row: Row): void {
    const [ours, recorded] = [name, row.case].map((text) =>
      [...text.matchAll(JAIL_NODE)].map(([, jid]) => jid),
    );
    for (const [index, jid] of (ours ?? []).entries()) {
      this.numbers.same('jid', recorded?.[index], jid, row.case);
    }
  }

  // A row begins with its jail's number: each of ours as the recording numbers it.
  #renumbered(list: string, recorded: string, where: string): string {
    const rows = recorded.split('\n');
    const shown = list.split('\n').map((row, index) => {
      const [ours, theirs] = [row, rows[index] ?? ''].map((text) => /^\d+(?= )/.exec(text)?.[0]);
      if (ours === undefined || theirs === undefined) return row;
      this.numbers.same('jid', theirs, ours, where);
      return `${theirs}${row.slice(ours.length)}`;
    });
    return shown.join('\n');
  }
}

const JAIL_NODE = /\bjail\.([1-9]\d{0,3})\b/g;

function keyOf(section: string, name: string): string {
  return `${section}\n${name.replaceAll(JAIL_NODE, 'jail.#')}`;
}

function readList(viewer: ModelProcess): { bytes: Uint8Array; err: string } {
  try {
    return { bytes: viewer.sysctl('jail.list').bytes, err: '0' };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { bytes: new Uint8Array(0), err: error.code };
  }
}
