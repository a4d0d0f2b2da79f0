const LONG_MS = 0x7fffffff;

/** Keeps the program alive while somebody holds it. */
export class KeepAlive {
  #timer: NodeJS.Timeout | null = null;
  #holds = 0;

  /** @returns lets go, once */
  hold(): () => void {
    if (this.#holds++ === 0) this.#timer = setInterval(() => {}, LONG_MS);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holds > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    };
  }
}
