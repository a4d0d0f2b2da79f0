import type { StepSink } from '../backend.js';

/** Tells how long each step has taken, where somebody wants to know. */
export class Stopwatch {
  readonly #sink: StepSink | null;
  #since = performance.now();

  /** @param sink whom to tell; null: nobody */
  constructor(sink: StepSink | null) {
    this.#sink = sink;
  }

  /** What was done since the last call was this step. */
  done(step: string): void {
    if (this.#sink === null) return;
    const now = performance.now();
    this.#sink({ step, durationMs: now - this.#since });
    this.#since = now;
  }
}
