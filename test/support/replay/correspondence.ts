import assert from 'node:assert/strict';

/** What has other numbers on every machine and after every boot. */
export type Numbered = 'jid' | 'pid' | 'file' | 'file system' | 'address';

interface Pair {
  readonly kind: Numbered;
  readonly recorded: string;
  readonly ours: string;
}

/**
 * Which number of the recording is which of the model's: the first sight of a thing decides, and it must be the same
 * ever after, on both sides. What is seen in a comparison that fails is forgotten.
 */
export class Correspondence {
  readonly #recorded = new Map<string, string>();
  readonly #ours = new Map<string, string>();
  #tried: Pair[] | null = null;

  /** @throws AssertionError one of them is known as another's already */
  same(kind: Numbered, recorded: unknown, ours: unknown, where: string): void {
    const pair = { kind, recorded: String(recorded), ours: String(ours) };
    const known = this.recorded(kind, ours);
    const other = this.ours(kind, recorded);
    if (known === null && other === null) {
      if (kind === 'jid') this.#assertOrder(Number(recorded), Number(ours), where);
      this.#learn(pair);
      return;
    }
    assert.equal(pair.recorded, known ?? 'another', `${where}: ${kind}`);
    assert.equal(pair.ours, other ?? 'another', `${where}: ${kind}`);
  }

  /** The recording's number of ours; null: never seen. */
  recorded(kind: Numbered, ours: unknown): string | null {
    return this.#recorded.get(`${kind} ${ours}`) ?? null;
  }

  /** Ours of the recording's; null: never seen. */
  ours(kind: Numbered, recorded: unknown): string | null {
    return this.#ours.get(`${kind} ${recorded}`) ?? null;
  }

  /** Makes a comparison; what it learns is kept only when it holds. */
  attempt(compare: () => void): void {
    this.#tried = [];
    try {
      compare();
      this.#tried = null;
    } catch (error) {
      for (const { kind, recorded, ours } of this.#tried ?? []) {
        this.#recorded.delete(`${kind} ${ours}`);
        this.#ours.delete(`${kind} ${recorded}`);
      }
      this.#tried = null;
      throw error;
    }
  }

  /** How many numbers of jails the recording has between the first and the last that are no jail of ours. */
  get jidsBetween(): number {
    const pairs = this.#jids().filter(([recorded]) => recorded > 0);
    const [first, last] = [pairs[0], pairs.at(-1)];
    if (first === undefined || last === undefined) return 0;
    return last[0] - first[0] - (last[1] - first[1]);
  }

  #learn(pair: Pair): void {
    const { kind, recorded, ours } = pair;
    this.#recorded.set(`${kind} ${ours}`, recorded);
    this.#ours.set(`${kind} ${recorded}`, ours);
    this.#tried?.push(pair);
  }

  #jids(): [recorded: number, ours: number][] {
    return [...this.#ours]
      .filter(([key]) => key.startsWith('jid '))
      .map(([key, ours]): [number, number] => [Number(key.slice(4)), Number(ours)])
      .sort((a, b) => a[0] - b[0]);
  }

  // Jails are numbered upwards, one for each attempt: a recording can have more attempts than its rows tell, never fewer.
  #assertOrder(recorded: number, ours: number, where: string): void {
    for (const [other, otherOurs] of this.#jids()) {
      const [more, moreOurs] = [recorded - other, ours - otherOurs];
      const fits = more > 0 ? moreOurs > 0 && moreOurs <= more : moreOurs < 0 && moreOurs >= more;
      assert.ok(fits, `${where}: jail ${ours} is ${recorded}, and jail ${otherOurs} is ${other}`);
    }
  }
}
