/** What a terminal takes before somebody reads it, as it was recorded. */
const ROOM = 2100;

/**
 * A pair of pseudo-terminals, as far as its ends close: what was written to the slave waits for the master to read it,
 * and the last close of the slave waits for that, see ttywait() in sys/kern/tty.c.
 */
export class Pty {
  readonly unit: number;
  #unread = 0;
  #isMasterOpen = true;
  #isSlaveOpen = true;
  /** Somebody has revoked it: it is gone for those who have it open. */
  #isRevoked = false;
  readonly #waiting: (() => void)[] = [];

  constructor(unit: number) {
    this.unit = unit;
  }

  /** Bytes that the master has not read. */
  get unread(): number {
    return this.#unread;
  }

  get isMasterOpen(): boolean {
    return this.#isMasterOpen;
  }

  get isRevoked(): boolean {
    return this.#isRevoked;
  }

  /** Can anything come yet? */
  get isSlaveOpen(): boolean {
    return this.#isSlaveOpen && !this.#isRevoked;
  }

  /** Would the last close of the slave wait? */
  get holdsClose(): boolean {
    return this.#unread > 0 && this.#isMasterOpen;
  }

  /** @returns how many there was room for */
  write(length: number): number {
    const taken = Math.min(length, ROOM - this.#unread);
    this.#unread += taken;
    return taken;
  }

  /** What the master reads at once. */
  read(room: number): number {
    const length = Math.min(room, this.#unread);
    this.#unread -= length;
    if (this.#unread === 0) this.#goOn();
    return length;
  }

  closeSlave(): void {
    this.#isSlaveOpen = false;
  }

  closeMaster(): void {
    this.#isMasterOpen = false;
    this.#flush();
  }

  revoke(): void {
    this.#isRevoked = true;
    this.#flush();
  }

  // Nothing that was written comes any more.
  #flush(): void {
    this.#unread = 0;
    this.#goOn();
  }

  /** Calls back when the last close need not wait any more. */
  whenRead(goOn: () => void): void {
    this.#waiting.push(goOn);
  }

  #goOn(): void {
    for (const goOn of this.#waiting.splice(0)) goOn();
  }
}
