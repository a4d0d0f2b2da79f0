import type { RestartPolicy } from './service-spec.js';

/** How a command ended, as far as restarting goes. */
export interface Ending {
  /** It ended by itself with exit code 0. */
  readonly well: boolean;
  /** ms that it ran. */
  readonly ranMs: number;
  /** It would end the same way again. */
  readonly hopeless?: boolean;
}

/** Decides about the restarts of one service. Time is given, so that it can be any. */
export class Restarts {
  readonly #policy: Required<RestartPolicy>;
  /** When the latest ones were, ms. */
  #times: number[] = [];
  #delayMs: number;

  constructor(policy: Required<RestartPolicy>) {
    this.#policy = policy;
    this.#delayMs = policy.delayMs;
  }

  /** How many there were within the time that counts. */
  get count(): number {
    return this.#times.length;
  }

  /**
   * A command has ended.
   *
   * @param now ms of a clock that never goes back
   * @returns ms to wait; `over`: it is not to be restarted, as it should be; `failed`: it was restarted too often, or need not be tried
   */
  next({ well, ranMs, hopeless = false }: Ending, now: number): number | 'over' | 'failed' {
    if (hopeless) return 'failed';
    const { when, delayMs, maxDelayMs, resetMs, limit, withinMs } = this.#policy;
    if (when === 'never' || (when === 'on-failure' && well)) return well ? 'over' : 'failed';
    this.#times = this.#times.filter((time) => now - time < withinMs);
    if (this.#times.length >= limit) return 'failed';
    this.#times.push(now);
    if (ranMs >= resetMs) this.#delayMs = delayMs;
    const delay = Math.min(this.#delayMs, maxDelayMs);
    this.#delayMs = Math.min(Math.max(this.#delayMs, 1) * 2, maxDelayMs);
    return delay;
  }
}
