import { JailError } from '../errors.js';

/** The longest frame either side sends, in bytes after the length field. */
export const MAX_FRAME = 8 * 1024 * 1024;

const INITIAL_CAPACITY = 1024;
/** What a writer keeps for the next message. */
const MOST_KEPT = 64 * 1024;

/**
 * The bytes are not what the protocol says, `ERR_JAIL_PROTOCOL`. Both sides are always the same release, so this is
 * a broken monitor or a bug, and the connection ends.
 *
 * @param what one clause about what was wrong
 */
export function protocolError(what: string): JailError {
  return new JailError('ERR_JAIL_PROTOCOL', `The monitor's protocol was violated: ${what}`);
}

// UTF-8 of one UTF-16 unit, at most.
const MAX_UNIT = 3;
const SHORT = 128;

/** Appends little-endian fields to a buffer that grows. */
export class WireWriter {
  #bytes: Buffer = Buffer.allocUnsafe(INITIAL_CAPACITY);
  #view = viewOf(this.#bytes);
  #size = 0;

  /** How many bytes were written so far. */
  get size(): number {
    return this.#size;
  }

  /** Its first {@link size} bytes are what was written so far; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Begins again, in the same memory: making some takes longer than writing a message. */
  clear(): void {
    this.#size = 0;
    if (this.#bytes.length > MOST_KEPT) this.#take(Buffer.allocUnsafe(INITIAL_CAPACITY));
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#size, value, true);
    this.#size += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#size, value, true);
    this.#size += 4;
  }

  u64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#size, value, true);
    this.#size += 8;
  }

  str(value: string): void {
    this.#reserve(value.length * MAX_UNIT + 5);
    const start = this.#size + 4;
    const end = this.#ascii(value, start) ?? start + this.#bytes.write(value, start);
    this.#view.setUint32(this.#size, end - start, true);
    this.#bytes[end] = 0;
    this.#size = end + 1;
  }

  // Most texts are short and of ASCII: for these the way to Node's own code and back is long. Null: this is another.
  #ascii(value: string, start: number): number | null {
    if (value.length > SHORT) return null;
    let at = start;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return null;
      this.#bytes[at++] = unit;
    }
    return at;
  }

  /** Overwrites the u32 at `offset`, for lengths that are known last. */
  patch(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  #reserve(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe((this.#size + more) * 2);
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#take(grown);
  }

  #take(bytes: Buffer): void {
    const view = viewOf(bytes); // both or none
    this.#bytes = bytes;
    this.#view = view;
  }
}

// The same bytes with the methods of a Buffer.
function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes; // making one costs more than reading a number
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Walks over the fields of a payload. Every read checks the bounds and throws `ERR_JAIL_PROTOCOL`. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;
  #end: number;

  /** @param bytes the payload, or several: see {@link open} */
  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes);
    this.#view = viewOf(bytes);
    this.#end = bytes.length;
  }

  /** The payload is from `start` to before `end`, both within the bytes. */
  open(start: number, end: number): void {
    this.#at = start;
    this.#end = end;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  // Bytes that are not UTF-8 (another program's arguments) become U+FFFD: they are for people to read.
  str(): string {
    const length = this.u32();
    const start = this.#take(length + 1);
    const nul = this.#bytes.indexOf(0, start);
    if (nul !== start + length) throw protocolError('a string does not end where it should');
    return this.#bytes.toString('utf8', start, nul);
  }

  /** A count of items of at least four bytes each; more than can follow is refused before anything is allocated. */
  count(): number {
    const count = this.u32();
    if (count * 4 > this.#end - this.#at) throw protocolError('a list is cut short');
    return count;
  }

  /** To be called behind the last field. */
  finish(): void {
    if (this.#at !== this.#end) throw protocolError('a frame is longer than its fields');
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw protocolError('a frame is shorter than its fields');
    this.#at = at + size;
    return at;
  }
}

/** Both directions of one field or group of fields. */
export interface Codec<T> {
  write(writer: WireWriter, value: T): void;
  read(reader: WireReader): T;
}

/** A number of 32 bits. */
export const u32: Codec<number> = {
  write: (writer, value) => writer.u32(value),
  read: (reader) => reader.u32(),
};

/** A number of 64 bits. */
export const u64: Codec<bigint> = {
  write: (writer, value) => writer.u64(value),
  read: (reader) => reader.u64(),
};

/** A string without NUL. */
export const str: Codec<string> = {
  write: (writer, value) => writer.str(value),
  read: (reader) => reader.str(),
};

/** A count, then that many items. */
export function list<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    write: (writer, values) => {
      writer.u32(values.length);
      for (const value of values) item.write(writer, value);
    },
    read: (reader) => Array.from({ length: reader.count() }, () => item.read(reader)),
  };
}

/** Fields one after the other, in the order in which they are listed here. */
export function struct<T extends object>(
  fields: {
    readonly [K in keyof T]-?: Codec<T[K]>;
  },
): Codec<T> {
  const names = Object.keys(fields) as (keyof T)[];
  const codecs = names.map((name) => ({ name, codec: fields[name] }));
  return {
    write: (writer, value) => {
      for (const { name, codec } of codecs) codec.write(writer, value[name]);
    },
    read: (reader) => {
      const value: Partial<T> = {};
      for (const { name, codec } of codecs) value[name] = codec.read(reader);
      return value as T;
    },
  };
}
