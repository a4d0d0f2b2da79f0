import { randomInt } from 'node:crypto';

const MODULUS = 2 ** 32;

/** The seed of this run's random numbers: `DFJAIL_TEST_SEED`, else another one each time. */
export function seedOfThisRun(): number {
  return Number(process.env.DFJAIL_TEST_SEED ?? randomInt(MODULUS));
}

/** Numbers that are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed;
  }

  /** An integer from 0 to below the limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / MODULUS) * limit);
  }
}
