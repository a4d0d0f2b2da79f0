/** Something of a known size that can be read at any place: a file, or bytes in memory. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** The bytes from `offset`, `length` of them, which lie within `size`; fewer when the file was cut meanwhile. */
  read(offset: number, length: number): Uint8Array;
}

/** Says that what was read makes no sense; the caller knows in which file. */
export class BrokenFile extends Error {}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/**
 * Reads a part of a file that claims to be there.
 *
 * @param source what to read
 * @param offset where it begins
 * @param length how long it is
 * @param what what it is, for the error
 * @throws BrokenFile when it is not within the file
 */
export function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
): Fields {
  const fits = Number.isSafeInteger(offset) && offset >= 0 && offset + length <= source.size;
  if (!fits) throw new BrokenFile(`has its ${what} beyond its end`);
  const bytes = source.read(offset, length);
  if (bytes.length !== length) throw new BrokenFile('became shorter while it was read');
  return new Fields(bytes);
}

/** Numbers in bytes of either order. */
export class Fields {
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian = true,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The same bytes, read in another order. */
  in(littleEndian: boolean): Fields {
    return new Fields(this.bytes, littleEndian);
  }

  u8(offset: number): number {
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, this.littleEndian);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, this.littleEndian);
  }

  /** @throws BrokenFile for a number that is larger than any file */
  u64(offset: number): number {
    const value = this.#view.getBigUint64(offset, this.littleEndian);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BrokenFile('has offsets without sense');
    return Number(value);
  }
}
