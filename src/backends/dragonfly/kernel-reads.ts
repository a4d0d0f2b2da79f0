import type { KernelLayout } from './layout.js';

/** A read that failed, as the addon and the model tell it. */
export interface ReadFailure extends Error {
  /** The name of the error: `ENOENT`. */
  readonly code: string;
}

/** What is asked of a kernel without a monitor: sysctl(3) and kill(2), from the host. */
export interface KernelReads {
  readonly layout: KernelLayout;
  /** sysctl(3) by name: the whole value. Fails with a {@link ReadFailure}. */
  get(name: string): Uint8Array;
  /** sysctl(3) by numbers. */
  getMib(mib: readonly number[]): Uint8Array;
  /** Writes a value. */
  set(name: string, value: Uint8Array): void;
  /** kill(2). */
  kill(pid: number, signal: number): void;
}

const ATTEMPTS = 5;

/** Was it this? */
export function failedWith(error: unknown, code: string): boolean {
  return error instanceof Error && (error as Partial<ReadFailure>).code === code;
}

/**
 * Reads what may grow meanwhile: a jail or a process that came between the question for the size and the answer is
 * `ENOMEM`, and for `jail.list` `ERANGE` too.
 */
export function readPatiently<T>(read: () => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return read();
    } catch (error) {
      const grew = failedWith(error, 'ENOMEM') || failedWith(error, 'ERANGE');
      if (!grew || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Is there a node of that name? */
export function nodeExists(reads: KernelReads, name: string): boolean {
  try {
    reads.get(name);
    return true;
  } catch (error) {
    if (failedWith(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Is this program in a jail itself? Up to 5.6 nothing tells. */
export function isJailed(reads: KernelReads): boolean {
  try {
    return reads.get('jail.jailed').some((byte) => byte !== 0);
  } catch (error) {
    if (failedWith(error, 'ENOENT')) return false;
    throw error;
  }
}
