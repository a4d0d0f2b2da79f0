import { layout59 } from '../dragonfly/layout-5.9.js';

/** The name of an error number of DragonFly: `EPERM`. */
export type ErrnoName = string;

/**
 * What a call of the model kernel fails with: DragonFly's own number, whatever system the model runs on.
 *
 * @see errno(2)
 * @example
 * kernel.programs.add('/bin/probe', ({ process, stdout }) => {
 *   try {
 *     process.jailAttach(7);
 *   } catch (error) {
 *     if (error instanceof KernelError) stdout.write(`${error.code} ${error.errno}\n`); // EPERM 1
 *   }
 * });
 */
export class KernelError extends Error {
  /** Positive, DragonFly's: `EAGAIN` is 35. */
  readonly errno: number;
  /** DragonFly’s name of it. */
  readonly code: ErrnoName;
  /** Of sysctl(3): what was copied out nevertheless. */
  partial: Uint8Array | null = null;

  /**
   * For programs that fail as the kernel would.
   *
   * @param code DragonFly’s name of the error
   */
  constructor(code: ErrnoName) {
    super(code);
    this.name = 'KernelError';
    this.code = code;
    this.errno = layout59.errno[code] ?? 0;
  }
}

/**
 * A call that would never return: the caller of a real kernel could not be killed.
 *
 * @example
 * try {
 *   kernel.host.sysctl('kern.ostype');
 * } catch (error) {
 *   if (error instanceof KernelHang) console.log('on a real kernel this would never return');
 * }
 */
export class KernelHang extends Error {
  /**
   * Made by the kernel.
   *
   * @param reason what the caller would wait for
   */
  constructor(reason: string) {
    super(reason);
    this.name = 'KernelHang';
  }
}

/** Fails. */
export function fail(code: ErrnoName): never {
  throw new KernelError(code);
}
