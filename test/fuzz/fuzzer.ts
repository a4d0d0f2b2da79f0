import { performance } from 'node:perf_hooks';
import type { Coverage } from './coverage.js';
import { type Material, mutate } from './mutate.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

/** What came of a run. */
export interface Outcome {
  readonly runs: number;
  readonly seconds: number;
  /** Blocks of code that have run. */
  readonly blocks: number;
  /** Those inputs that are needed to reach them, small ones first. */
  readonly corpus: readonly Uint8Array[];
  /** The first input that was answered wrongly. */
  readonly finding: { readonly input: Uint8Array; readonly error: unknown } | null;
}

// Asking for the coverage takes milliseconds, most inputs microseconds.
const BATCH = 128;
// A single input that takes as long is a finding too: it is how a jail would hold up its host. In milliseconds of the
// processor, so that a machine with other work to do makes none.
const SLOWEST = 1000;

class WrongAnswer extends Error {
  constructor(
    readonly input: Uint8Array,
    readonly error: unknown,
  ) {
    super('wrong');
  }
}

/**
 * Changes inputs at random, keeps those that reach code which none has reached before, and changes these in turn.
 *
 * @param target what to feed
 * @param kept inputs of earlier runs
 * @param seconds how long; 0: only what is kept
 */
export function fuzz(
  target: Target,
  kept: readonly Uint8Array[],
  seconds: number,
  coverage: Coverage,
  random: Random,
): Outcome {
  const state = new Run(target, coverage);
  const start = performance.now();
  let finding: Outcome['finding'] = null;
  try {
    state.begin([...target.seeds(), ...kept]);
    while (performance.now() - start < seconds * 1000) state.batch(random);
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error;
    finding = error;
  }
  return {
    runs: state.runs,
    seconds: (performance.now() - start) / 1000,
    blocks: coverage.size,
    corpus: state.corpus,
    finding,
  };
}

class Run {
  runs = 0;
  readonly corpus: Uint8Array[] = [];
  readonly #target: Target;
  readonly #coverage: Coverage;
  readonly #words: readonly Uint8Array[];

  constructor(target: Target, coverage: Coverage) {
    this.#target = target;
    this.#coverage = coverage;
    this.#words = target.words.map((word) => Buffer.from(word));
  }

  /** Small inputs first: what a large one has in common with them is not kept twice. */
  begin(inputs: readonly Uint8Array[]): void {
    this.#coverage.take();
    this.#keepNew([...inputs].sort((a, b) => a.length - b.length));
  }

  batch(random: Random): void {
    const { maxLength } = this.#target;
    const material: Material = { corpus: this.corpus, words: this.#words, maxLength };
    this.#keepNew(Array.from({ length: BATCH }, () => mutate(random, material)));
  }

  // Halves them until it is known whose the new blocks are: most have none.
  #keepNew(inputs: readonly Uint8Array[]): void {
    for (const input of inputs) this.#run(input);
    const blocks = this.#coverage.take();
    if (!this.#coverage.hasNew(blocks)) return;
    const [only] = inputs;
    if (only === undefined) return;
    if (inputs.length > 1) {
      const half = Math.ceil(inputs.length / 2);
      this.#keepNew(inputs.slice(0, half));
      this.#keepNew(inputs.slice(half));
    } else {
      this.#coverage.learn(blocks);
      this.corpus.push(only);
    }
  }

  #run(input: Uint8Array): void {
    const start = process.cpuUsage();
    this.runs++;
    try {
      this.#target.run(input);
    } catch (error) {
      throw new WrongAnswer(input, error);
    }
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    if (took > SLOWEST) throw new WrongAnswer(input, new Error(`it took ${took.toFixed()} ms`));
  }
}
