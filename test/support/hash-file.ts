// Reads hash files of Berkeley DB 1.85 by the rules of the format: what is written must be found by somebody who knows
// nothing of how it was laid out.
import assert from 'node:assert/strict';

const OVERFLOW = 0;
/** Smaller ones say that a pair goes over several pages. */
const FIRST_REAL = 4;

interface Header {
  readonly pageSize: number;
  readonly splitPoint: number;
  readonly maxBucket: number;
  readonly highMask: number;
  readonly lowMask: number;
  readonly keys: number;
  readonly headerPages: number;
  readonly spares: readonly number[];
  readonly maps: readonly number[];
}

export interface Entry {
  readonly key: Buffer;
  readonly data: Buffer;
}

export class HashFile {
  readonly header: Header;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const int = (index: number) => bytes.readUInt32BE(4 * index);
    assert.deepEqual([int(0), int(1), int(2)], [0x061561, 2, 1234]);
    assert.equal(1 << int(4), int(3), 'the page size and its logarithm');
    assert.equal(int(16), this.hash(Buffer.from('%$sniglet^&\0')));
    this.header = {
      pageSize: int(3),
      splitPoint: int(8),
      maxBucket: int(10),
      highMask: int(11),
      lowMask: int(12),
      keys: int(14),
      headerPages: int(15),
      spares: Array.from({ length: 32 }, (_, index) => int(17 + index)),
      maps: Array.from({ length: 32 }, (_, index) => bytes.readUInt16BE(4 * 49 + 2 * index)),
    };
    assert.equal(bytes.length % this.header.pageSize, 0);
  }

  hash(key: Buffer): number {
    let hash = 0n;
    for (const byte of key) hash = (hash * 33n + BigInt(byte)) % 2n ** 32n;
    return Number(hash);
  }

  get(key: Buffer): Buffer | null {
    const found = [...this.#bucket(this.#bucketOf(key))].find((entry) => entry.key.equals(key));
    return found?.data ?? null;
  }

  /** Everything, each in the bucket of its key; no overflow page belongs to two buckets. */
  entries(): Entry[] {
    const seen = new Set<number>();
    const all: Entry[] = [];
    for (let bucket = 0; bucket <= this.header.maxBucket; bucket++) {
      for (const entry of this.#bucket(bucket, seen)) {
        assert.equal(this.#bucketOf(entry.key), bucket);
        all.push(entry);
      }
    }
    assert.equal(all.length, this.header.keys);
    this.#checkMap(seen);
    return all;
  }

  /** What is in use is marked, what may be given away lies in the file's range, nothing else is free. */
  #checkMap(seen: ReadonlySet<number>): void {
    const { maps, pageSize, spares, splitPoint } = this.header;
    const [address = 0] = maps;
    assert.deepEqual(
      maps.filter((map) => map !== 0),
      [address],
      'one map',
    );
    const inUse = new Set([...seen, address].map((used) => this.#numberOf(used)));
    const page = this.#overflowPage(address);
    const total = spares[splitPoint] ?? 0;
    for (let bit = 0; bit < 8 * pageSize; bit++) {
      const marked = ((page[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
      assert.equal(marked, inUse.has(bit + 1) || bit >= total, `overflow page ${bit + 1}`);
    }
  }

  /** Overflow pages are counted over all split points, from 1. */
  #numberOf(address: number): number {
    const split = address >> 11;
    return (split === 0 ? 0 : (this.header.spares[split - 1] ?? 0)) + (address & 0x7ff);
  }

  #bucketOf(key: Buffer): number {
    const { highMask, lowMask, maxBucket } = this.header;
    const bucket = (this.hash(key) & highMask) >>> 0;
    return bucket > maxBucket ? bucket & lowMask : bucket;
  }

  *#bucket(bucket: number, seen = new Set<number>()): Generator<Entry> {
    let page: Buffer | null = this.#page(this.#pageOfBucket(bucket));
    while (page !== null) {
      const cells = cellsOf(page);
      let [end, next] = [this.header.pageSize, 0];
      for (let index = 0; index < cells.length; index += 2) {
        const [key = 0, data = 0] = cells.slice(index, index + 2);
        assert(data === OVERFLOW || data >= FIRST_REAL, 'no big pairs');
        if (data === OVERFLOW) next = key;
        else {
          assert(data <= key && key <= end, 'places go down');
          yield { key: page.subarray(key, end), data: page.subarray(data, key) };
          end = data;
        }
      }
      assert(next === 0 || !seen.has(next), 'an overflow page in two chains');
      if (next !== 0) seen.add(next);
      page = next === 0 ? null : this.#overflowPage(next);
    }
  }

  #pageOfBucket(bucket: number): number {
    const spares = bucket === 0 ? 0 : this.header.spares[Math.ceil(Math.log2(bucket + 1)) - 1];
    return bucket + this.header.headerPages + (spares ?? 0);
  }

  #overflowPage(address: number): Buffer {
    const before = this.#pageOfBucket((1 << (address >> 11)) - 1);
    return this.#page(before + (address & 0x7ff));
  }

  #page(number: number): Buffer {
    const { pageSize } = this.header;
    const page = this.#bytes.subarray(number * pageSize, (number + 1) * pageSize);
    assert.equal(page.length, pageSize, `page ${number} is in the file`);
    return page;
  }
}

function cellsOf(page: Buffer): number[] {
  const count = page.readUInt16LE(0);
  if (count === 0) return [];
  assert.equal(count % 2, 0);
  const free = page.readUInt16LE(2 * (count + 1));
  const end = page.readUInt16LE(2 * (count + 2));
  assert.equal(free, end - 2 * (count + 3), 'free bytes');
  return Array.from({ length: count }, (_, index) => page.readUInt16LE(2 * (index + 1)));
}
