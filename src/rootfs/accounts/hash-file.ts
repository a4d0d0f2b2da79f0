/** A key and what is stored under it. */
export interface Pair {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

// db.h and lib/libc/db/hash of DragonFly: the hash files of Berkeley DB 1.85.
const MAGIC = 0x061561;
const VERSION = 2;
const LITTLE_ENDIAN = 1234;
const PAGE_BITS = 12;
const PAGE = 1 << PAGE_BITS;
const SEGMENT_BITS = 8;
const SEGMENT = 1 << SEGMENT_BITS;
/** Keys in a bucket at which the library makes another one. */
const FILL = 32;
/** Of the smallest file, as pwd_mkdb(8) makes it: room for 256 keys. */
const MIN_BUCKET_BITS = 3;
const MAX_BUCKET_BITS = 20;
/** An overflow page's address: where the table had been doubled so many times, and its number there, from 1. */
const OVERFLOW_BITS = 11;
/** One is the map of those in use, and the last number is never given away. */
const MAX_OVERFLOW_PAGES = (1 << OVERFLOW_BITS) - 3;
const CHECKED_KEY = Buffer.from('%$sniglet^&\0');
const SPARES = 32;
const CELL = 2;

/**
 * Makes the bytes of a hash file of Berkeley DB 1.85, as dbopen(3) of DragonFly reads it there.
 *
 * The file is for x86-64, the one machine that DragonFly runs on: pages are little-endian; the header always is
 * big-endian. What the library itself would have made of the same pairs in the same order is equal byte for byte, as
 * long as they are not so many or so long that it has to split buckets.
 *
 * @param pairs what is to be in it; of those with the same key the first
 * @returns the whole file
 * @throws RangeError a pair does not fit a page: none is split over several ones
 * @see dbopen(3), hash(3)
 */
export function hashFile(pairs: readonly Pair[]): Buffer {
  const distinct = withoutDoubles(pairs);
  for (let bits = MIN_BUCKET_BITS; bits <= MAX_BUCKET_BITS; bits++) {
    if (distinct.length >> bits > FILL) continue;
    const table = new Table(distinct, bits);
    if (table.overflowPages <= MAX_OVERFLOW_PAGES) return table.bytes();
  }
  throw new RangeError(`${distinct.length} pairs are too many for a hash file`);
}

/** The hash function of the library: that of Chris Torek. */
function hashOf(key: Uint8Array): number {
  let hash = 0;
  for (const byte of key) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

function withoutDoubles(pairs: readonly Pair[]): Pair[] {
  const seen = new Map<string, Pair>();
  for (const pair of pairs) {
    const name = Buffer.from(pair.key).toString('latin1');
    if (!seen.has(name)) seen.set(name, pair);
  }
  return [...seen.values()];
}

/** A table of 2^bits buckets, none of which is to be split any more. */
class Table {
  readonly #bits: number;
  readonly #keys: number;
  /** A bucket's pages, the first one in the table, the others among the overflow pages. */
  readonly #buckets: Page[][];
  readonly overflowPages: number;

  constructor(pairs: readonly Pair[], bits: number) {
    this.#bits = bits;
    this.#keys = pairs.length;
    this.#buckets = Array.from({ length: 1 << bits }, () => [new Page()]);
    for (const pair of pairs) this.#put(pair);
    this.overflowPages = this.#buckets.reduce((sum, { length }) => sum + length - 1, 0);
  }

  /** Header, buckets, the map of overflow pages, overflow pages. */
  bytes(): Buffer {
    const first = 1 + this.#buckets.length;
    const file = Buffer.alloc((first + 1 + this.overflowPages) * PAGE);
    file.set(this.#header(), 0);
    file.set(this.#map(), first * PAGE);
    let overflow = 0;
    for (const [index, pages] of this.#buckets.entries()) {
      for (const [place, page] of pages.entries()) {
        const at = place === 0 ? 1 + index : first + overflow;
        if (place < pages.length - 1) page.continueAt(this.#address(++overflow + 1));
        file.set(page.bytes(), at * PAGE);
      }
    }
    return file;
  }

  #put(pair: Pair): void {
    const pages = this.#buckets[hashOf(pair.key) & (this.#buckets.length - 1)] ?? [];
    if (pages.at(-1)?.add(pair)) return;
    const page = new Page();
    if (!page.add(pair)) throw new RangeError('a pair does not fit a page of a hash file');
    pages.push(page);
  }

  #address(number: number): number {
    return (this.#bits << OVERFLOW_BITS) + number;
  }

  #header(): Buffer {
    const last = this.#buckets.length - 1;
    const segments = Math.max(SEGMENT, this.#buckets.length >> SEGMENT_BITS);
    const reserved = this.#bits + 1;
    const spares = new Array<number>(SPARES).fill(0);
    spares[this.#bits] = Math.max(reserved, this.overflowPages + 1);
    spares[this.#bits + 1] = reserved;
    const numbers = [
      ...[MAGIC, VERSION, LITTLE_ENDIAN, PAGE, PAGE_BITS, segments, SEGMENT, SEGMENT_BITS],
      ...[this.#bits, this.overflowPages || 2, last, 2 * last + 1, last, FILL, this.#keys, 1],
      ...[hashOf(CHECKED_KEY), ...spares],
    ];
    const header = Buffer.alloc(4 * numbers.length + CELL * SPARES);
    for (const [index, number] of numbers.entries()) header.writeUInt32BE(number, 4 * index);
    header.writeUInt16BE(this.#address(1), 4 * numbers.length);
    return header;
  }

  /** One bit for an overflow page: the map's own, those in use, and then all that are not in the file. */
  #map(): Buffer {
    const map = Buffer.alloc(PAGE, 0xff);
    for (let bit = this.overflowPages + 1; bit <= this.#bits; bit++) {
      map[bit >> 3] = (map[bit >> 3] ?? 0) & ~(1 << (bit & 7));
    }
    return map;
  }
}

/**
 * A page: how many cells there are, for each pair two with the places of its key and of its data, which fill the page
 * from its end on; then the bytes that are free, and where they end.
 */
class Page {
  readonly #bytes = Buffer.alloc(PAGE);
  #cells = 0;
  #end = PAGE;

  /** False when there is no room for it, and for the two cells that name the next page. */
  add({ key, data }: Pair): boolean {
    if (4 * CELL + key.length + data.length > this.#free()) return false;
    for (const part of [key, data]) {
      this.#end -= part.length;
      this.#bytes.set(part, this.#end);
      this.#append(this.#end);
    }
    return true;
  }

  /** Names the page that the bucket goes on in. */
  continueAt(address: number): void {
    this.#append(address);
    this.#append(0);
  }

  /** Zeros, when nothing is on it. */
  bytes(): Buffer {
    if (this.#cells === 0) return this.#bytes;
    this.#bytes.writeUInt16LE(this.#cells, 0);
    this.#bytes.writeUInt16LE(this.#free(), CELL * (this.#cells + 1));
    this.#bytes.writeUInt16LE(this.#end, CELL * (this.#cells + 2));
    return this.#bytes;
  }

  #free(): number {
    return this.#end - CELL * (this.#cells + 3);
  }

  #append(value: number): void {
    this.#bytes.writeUInt16LE(value, CELL * ++this.#cells);
  }
}
