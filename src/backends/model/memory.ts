import { fail } from './kernel-error.js';

interface Region {
  readonly base: bigint;
  readonly bytes: Uint8Array;
}

const FIRST_ADDRESS = 0x10_0000n;
const PAGE = 0x1000n;

/** A process's memory as the kernel reads it: pieces, with nothing between them. */
export class Memory {
  readonly #regions: Region[] = [];
  #next = FIRST_ADDRESS;

  /**
   * Makes bytes readable.
   *
   * @param bytes shared, not copied
   * @param base  where; default: some page of its own
   * @returns the address of the first byte
   */
  map(bytes: Uint8Array, base = this.#next): bigint {
    this.#regions.push({ base, bytes });
    const end = base + BigInt(bytes.length);
    const after = (end / PAGE + 2n) * PAGE; // an unmapped page between any two
    if (after > this.#next) this.#next = after;
    return base;
  }

  /** copyin(9). @throws KernelError EFAULT */
  read(address: bigint, length: number): Uint8Array {
    const region = this.#find(address);
    if (region === undefined) fail('EFAULT');
    const start = Number(address - region.base);
    if (start + length > region.bytes.length) fail('EFAULT');
    return region.bytes.subarray(start, start + length);
  }

  /** copyinstr(9), with what 5.9 does of a string that is too long. @throws KernelError EFAULT */
  readString(address: bigint, size: number): string {
    const region = this.#find(address);
    if (region === undefined) fail('EFAULT');
    const start = Number(address - region.base);
    const end = region.bytes.indexOf(0, start);
    if (end < 0 || end - start >= size) fail('EFAULT');
    return Buffer.from(region.bytes.subarray(start, end)).toString('utf8');
  }

  #find(address: bigint): Region | undefined {
    return this.#regions.find(
      ({ base, bytes }) => address >= base && address < base + BigInt(bytes.length),
    );
  }
}
