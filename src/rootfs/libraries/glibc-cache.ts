import { BrokenFile, Fields } from '../elf/bytes.js';

// "glibc-ld.so.cache1.1", since glibc 2.2; older ldconfigs put their own format before it.
const MAGIC = Buffer.from('glibc-ld.so.cache1.1');
const OLD_MAGIC = Buffer.from('ld.so-1.7.0');
const HEADER = 48;
const ENTRY = 24;
const OLD_HEADER = 16;
const OLD_ENTRY = 12;
const MAX_ENTRIES = 1 << 16;
// Many entries may name one text, which is then as often read. In bytes.
const MAX_NAME = 4096;
const MAX_TEXT = 8 << 20;

/** One line of `ldconfig -p`. */
export interface CachedLibrary {
  readonly name: string;
  readonly path: string;
  /** Kind of library and machine, in glibc's numbers. */
  readonly flags: number;
  /** Only for some processors: such a library stands beside one for all of them. */
  readonly special: boolean;
}

interface Table {
  readonly fields: Fields;
  /** Of the header: offsets of names count from there. */
  readonly start: number;
  readonly count: number;
}

/**
 * Reads an ld.so.cache(5), what ldconfig(8) found.
 *
 * @param bytes the file
 * @returns its libraries in its order, which is the one that glibc searches them by
 * @throws BrokenFile it is none, or a broken one
 */
export function parseGlibcCache(bytes: Uint8Array): CachedLibrary[] {
  const { fields, start, count } = tableOf(bytes);
  let text = 0;
  const stringAt = (offset: number) => {
    const name = nameAt(bytes, offset);
    text += name.length;
    if (text > MAX_TEXT) throw new BrokenFile('has more names than makes sense');
    return Buffer.from(name).toString();
  };
  return Array.from({ length: count }, (_, index) => {
    const at = start + HEADER + index * ENTRY;
    return {
      name: stringAt(start + fields.u32(at + 4)),
      path: stringAt(start + fields.u32(at + 8)),
      flags: fields.u32(at),
      special: fields.u32(at + 16) !== 0 || fields.u32(at + 20) !== 0,
    };
  });
}

/**
 * Writes an ld.so.cache that has these libraries only.
 *
 * @param libraries in the order of {@link parseGlibcCache}
 * @param littleEndian the byte order of the system
 */
export function formatGlibcCache(
  libraries: readonly CachedLibrary[],
  littleEndian: boolean,
): Uint8Array {
  const strings: Buffer[] = [];
  let end = HEADER + libraries.length * ENTRY;
  const place = (text: string) => {
    const at = end;
    const bytes = Buffer.from(`${text}\0`);
    strings.push(bytes);
    end += bytes.length;
    return at;
  };
  const table = Buffer.alloc(end);
  MAGIC.copy(table);
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  libraries.forEach(({ name, path, flags }, index) => {
    const at = HEADER + index * ENTRY;
    view.setInt32(at, flags, littleEndian);
    view.setUint32(at + 4, place(name), littleEndian);
    view.setUint32(at + 8, place(path), littleEndian);
  });
  view.setUint32(20, libraries.length, littleEndian);
  view.setUint32(24, end - table.length, littleEndian);
  // The byte order, since glibc 2.33.
  view.setUint8(28, littleEndian ? 2 : 3);
  return Buffer.concat([table, ...strings]);
}

function tableOf(bytes: Uint8Array): Table {
  const start = startOf(bytes);
  if (bytes.length < start + HEADER) throw new BrokenFile('ends within its header');
  for (const littleEndian of [true, false]) {
    const fields = new Fields(bytes, littleEndian);
    const count = fields.u32(start + 20);
    const fits = count <= MAX_ENTRIES && start + HEADER + count * ENTRY <= bytes.length;
    if (fits) return { fields, start, count };
  }
  throw new BrokenFile('has more libraries than fit into it');
}

function startOf(bytes: Uint8Array): number {
  if (isAt(bytes, 0, MAGIC)) return 0;
  if (!isAt(bytes, 0, OLD_MAGIC) || bytes.length < OLD_HEADER) {
    throw new BrokenFile('is no cache of ldconfig');
  }
  for (const littleEndian of [true, false]) {
    const count = new Fields(bytes, littleEndian).u32(12);
    const start = Math.ceil((OLD_HEADER + count * OLD_ENTRY) / 8) * 8;
    if (isAt(bytes, start, MAGIC)) return start;
  }
  throw new BrokenFile('is a cache of ldconfig in a form from before glibc 2.2');
}

function isAt(bytes: Uint8Array, offset: number, text: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(offset, offset + text.length), text) === 0;
}

function nameAt(bytes: Uint8Array, offset: number): Uint8Array {
  const name = bytes.subarray(offset, offset + MAX_NAME);
  const end = name.indexOf(0);
  if (end < 0) throw new BrokenFile('has a name beyond its end');
  return name.subarray(0, end);
}
