import type { Jail } from 'dragonfly-jail';

/**
 * Ends a jail when its time is over. The `timeout` of a command ends the command alone; what that has started goes on.
 */
export class Deadline implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #passed = false;

  /**
   * @param jail what ends then
   * @param time ms from now
   */
  constructor(jail: Jail, time: number) {
    this.#timer = setTimeout(() => {
      this.#passed = true;
      void jail.stop({ graceMs: 0 });
    }, time);
  }

  /** Was the jail ended by this? */
  get passed(): boolean {
    return this.#passed;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
