import { type ErrnoName, KernelError } from './kernel-error.js';

/** A failure to come. */
export interface Fault {
  /** The call: `jail`, `mount`, `fork`, `execve`, `sysctl`, …; left out: any. */
  readonly call?: string;
  /** DragonFly's name of the error. */
  readonly errno: ErrnoName;
  /** Which of the calls that fit, from now on. Default 1, the next. */
  readonly nth?: number;
  /** Every one from then on, not that one alone. */
  readonly forever?: boolean;
  /** Only calls about this: a path, a node, an address. */
  readonly about?: string | RegExp;
}

interface PendingFault extends Fault {
  left: number;
}

/** A call that was made. */
export interface CallRecord {
  /** Its name: `jail`, `mount`, `SIOCAIFADDR`, … */
  readonly call: string;
  /** Who called. */
  readonly pid: number;
  /** What it was about; empty: nothing in particular. */
  readonly about: string;
  /** The error that was put in its way. */
  readonly injected: ErrnoName | null;
}

/**
 * Failures to order, and what was called.
 *
 * @example
 * kernel.faults.inject({ call: 'mount', errno: 'EIO' });
 * await assert.rejects(Jail.create(spec), { code: 'EIO', step: 'mount' });
 * console.log(kernel.faults.calls.map(({ call }) => call));
 */
export class Faults {
  readonly #pending: PendingFault[] = [];
  readonly #calls: CallRecord[] = [];

  /** What was called since {@link forget}. */
  get calls(): readonly CallRecord[] {
    return this.#calls;
  }

  /**
   * Makes a call to come fail.
   *
   * @param fault which call, by what it fails, and when
   * @example kernel.faults.inject({ call: 'mount', errno: 'EIO', nth: 2 });
   */
  inject(fault: Fault): void {
    this.#pending.push({ ...fault, left: fault.nth ?? 1 });
  }

  /** No more failures, and no more record of calls. */
  forget(): void {
    this.#pending.length = 0;
    this.#calls.length = 0;
  }

  /** @internal Every call comes through here. @throws KernelError the failure that was ordered */
  enter(call: string, pid: number, about: string): void {
    const injected = this.#due(call, about);
    this.#calls.push({ call, pid, about, injected });
    if (injected !== null) throw new KernelError(injected);
  }

  #due(call: string, about: string): ErrnoName | null {
    let due: ErrnoName | null = null;
    for (const fault of [...this.#pending]) {
      if (!fits(fault, call, about) || --fault.left > 0) continue;
      due ??= fault.errno;
      if (!fault.forever) this.#pending.splice(this.#pending.indexOf(fault), 1);
    }
    return due;
  }
}

function fits({ call, about: wanted }: Fault, name: string, about: string): boolean {
  if (call !== undefined && call !== name) return false;
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === about : wanted.test(about);
}
