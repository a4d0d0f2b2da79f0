import { invalidValue } from '../errors.js';

/** Overrides the default; ms. */
export const PATIENCE = 'DRAGONFLY_JAIL_MONITOR_TIMEOUT';

const DEFAULT_MS = 30_000;
const SHORTEST_MS = 100;
const LONGEST_MS = 3_600_000;
/** How often a monitor is looked at within that time. */
const TICKS = 5;

/**
 * How long a monitor of which something is expected may say nothing at all before it counts as lost: 30 s, or what the
 * environment variable `DRAGONFLY_JAIL_MONITOR_TIMEOUT` says, in ms, 100 to 3,600,000. It is noticed a fifth later at
 * most. The longest that an honest monitor is silent is while it makes a jail or takes it back.
 *
 * @param env the environment
 * @throws JailError `ERR_INVALID_ARG_VALUE`
 */
export function monitorPatience(env: NodeJS.ProcessEnv = process.env): number {
  const text = env[PATIENCE];
  if (!text) return DEFAULT_MS;
  const ms = Number(text);
  if (Number.isInteger(ms) && ms >= SHORTEST_MS && ms <= LONGEST_MS) return ms;
  throw invalidValue(PATIENCE, `milliseconds from ${SHORTEST_MS} to ${LONGEST_MS}`, text);
}

/** What a {@link Watchdog} looks at and does. */
export interface Watched {
  /** Is something expected of the monitor? Else it may sleep for as long as it likes. */
  awaited(): boolean;
  /** Asks for any sign of life. */
  ping(): void;
  /** It has not given one. */
  silent(): void;
}

/**
 * Notices a monitor that neither answers nor ends. Time is counted in looks, not by the clock: a program whose event
 * loop was blocked, or that was stopped, has not listened meanwhile, and what was said is read after the first of them.
 * It never keeps a program alive.
 */
export class Watchdog {
  readonly #watched: Watched;
  readonly #timer: NodeJS.Timeout;
  #heard = false;
  #looks = 0;

  /**
   * @param patienceMs how long it may be silent
   * @param watched    what is watched
   */
  constructor(patienceMs: number, watched: Watched) {
    this.#watched = watched;
    this.#timer = setInterval(() => this.#look(), Math.ceil(patienceMs / TICKS));
    this.#timer.unref();
  }

  /** The monitor has said something. */
  heard(): void {
    this.#heard = true;
  }

  /** Nothing is to be watched any more. */
  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const begins = this.#heard || this.#looks === 0;
    this.#heard = false;
    if (!this.#watched.awaited()) {
      this.#looks = 0;
      return;
    }
    this.#looks = begins ? 1 : this.#looks + 1;
    if (this.#looks === 1) this.#watched.ping();
    if (this.#looks > TICKS) this.#watched.silent();
  }
}
