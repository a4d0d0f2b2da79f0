/** Says that looking any further would take too long: somebody may have made it so. */
export class TooMuch extends Error {
  constructor() {
    super('there is too much to look at');
  }
}

/** How much may be looked at before it is given up, in steps: a name that is looked up is one. */
export class Budget {
  readonly #all: number;
  #left: number;

  /** @param steps a step is some ten microseconds */
  constructor(steps: number) {
    this.#all = steps;
    this.#left = steps;
  }

  /** How much is left. */
  get left(): number {
    return Math.max(this.#left, 0);
  }

  /** A part of it that may be spent by itself. What is spent of it is told by {@link settle}. */
  part(steps: number): Budget {
    return new Budget(Math.min(steps, this.left));
  }

  /** Takes what was spent of a part. */
  settle(part: Budget): void {
    this.#left -= part.#all - part.left;
  }

  /** @throws TooMuch */
  spend(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuch();
  }
}
