import assert from 'node:assert/strict';
import type { ModelProcess } from '#internal/backends/model/index.js';
import { agrees, listAgrees, type Outcome, type Row, rowsOf } from '../recordings.js';

/** A case that is not replayed, and why. */
export interface LeftOut {
  readonly group: string;
  readonly case: string;
  readonly reason: string;
}

/** Goes through the cases of a group in order: none can be forgotten, and all differences are told together. */
export class Replay {
  readonly group: string;
  readonly leftOut: LeftOut[] = [];
  readonly #rows: readonly Row[];
  readonly #differences: string[] = [];
  #at = 0;
  #replayed = 0;

  constructor(group: string, boot?: string) {
    this.group = group;
    this.#rows = rowsOf(group, boot);
  }

  get replayed(): number {
    return this.#replayed;
  }

  /** The case that comes next; null at the end. */
  peek(): Row | null {
    return this.#rows[this.#at] ?? null;
  }

  /** The case that comes next, which must be this one. */
  next(name: string): Row {
    const row = this.#rows[this.#at];
    assert.equal(row?.case, name, `case ${this.#at} of ${this.group}`);
    assert.ok(row !== undefined);
    this.#at++;
    return row;
  }

  /** Replays the next case: what the call does, and what else is to be compared. */
  check(name: string, call: (row: Row) => Outcome, more?: (row: Row) => void): void {
    const row = this.next(name);
    this.#replayed++;
    try {
      agrees(row, call(row));
      more?.(row);
    } catch (error) {
      this.#differences.push(error instanceof Error ? error.message : String(error));
    }
  }

  /** The next case is a look at `jail.list`, whose `ret` is the newest jail, or the one that it is about. */
  checkList(name: string, viewer: ModelProcess): void {
    const row = this.next(name);
    this.#replayed++;
    try {
      listAgrees(row, viewer);
    } catch (error) {
      this.#differences.push(error instanceof Error ? error.message : String(error));
    }
  }

  /** The next case is not replayed. */
  skip(name: string, reason: string): void {
    this.next(name);
    this.leftOut.push({ group: this.group, case: name, reason });
  }

  /** Nothing differed, and nothing is left. */
  finish(): void {
    assert.equal(this.peek()?.case, undefined, `${this.group}: a case was not reached`);
    assert.deepEqual(this.#differences, [], this.group);
  }
}
