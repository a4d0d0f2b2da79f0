import { layout59 } from '../dragonfly/layout-5.9.js';

/** The name of an error number of DragonFly: `EPERM`. */
export type ErrnoName = string;

/** What a call of the model kernel fails with: DragonFly's own number, whatever system the model runs on. */
export class KernelError extends Error {
  /** Positive, DragonFly's: `EAGAIN` is 35. */
  readonly errno: number;
  readonly code: ErrnoName;
  /** Of sysctl(3): what was copied out nevertheless. */
  partial: Uint8Array | null = null;

  constructor(code: ErrnoName) {
    super(code);
    this.name = 'KernelError';
    this.code = code;
    this.errno = layout59.errno[code] ?? 0;
  }
}

/** A call that would never return: the caller of a real kernel could not be killed. */
export class KernelHang extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'KernelHang';
  }
}

/** Fails. */
export function fail(code: ErrnoName): never {
  throw new KernelError(code);
}
