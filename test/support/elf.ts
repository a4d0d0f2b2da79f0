/** What an ELF file of a test says. */
export interface ElfMade {
  bits?: 32 | 64;
  littleEndian?: boolean;
  machine?: number;
  /** 2 executable, 3 shared. */
  type?: number;
  interpreter?: string;
  needed?: readonly string[];
  soname?: string;
  rpath?: string;
  runpath?: string;
  /** DT_FLAGS_1. */
  flags?: number;
}

const BASE = 0x400000;

/** Makes an ELF file that says just that: a loader could read it, though there is nothing to run in it. */
export function makeElf(made: ElfMade): Buffer {
  const { bits = 64, littleEndian = true, machine = 62, type = 3 } = made;
  const wide = bits === 64;
  const strings: Buffer[] = [Buffer.from([0])];
  let used = 1;
  const name = (text: string) => {
    const at = used;
    const bytes = Buffer.from(`${text}\0`);
    strings.push(bytes);
    used += bytes.length;
    return at;
  };
  const tags: [number, number][] = (made.needed ?? []).map((one) => [1, name(one)]);
  if (made.soname !== undefined) tags.push([14, name(made.soname)]);
  if (made.rpath !== undefined) tags.push([15, name(made.rpath)]);
  if (made.runpath !== undefined) tags.push([29, name(made.runpath)]);
  if (made.flags !== undefined) tags.push([0x6ffffffb, made.flags]);
  const dynamic = tags.length > 0;
  const interpreter = Buffer.from(made.interpreter === undefined ? '' : `${made.interpreter}\0`);
  const headers = 1 + (dynamic ? 1 : 0) + (interpreter.length > 0 ? 1 : 0);
  const [headerSize, segmentSize, entry] = wide ? [64, 56, 16] : [52, 32, 8];
  const interpreterAt = headerSize + headers * segmentSize;
  const stringsAt = interpreterAt + interpreter.length;
  const dynamicAt = Math.ceil((stringsAt + used) / 16) * 16;
  const dynamicSize = dynamic ? (tags.length + 3) * entry : 0;
  const bytes = Buffer.alloc(dynamicAt + dynamicSize);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number, value: number) =>
    wide
      ? view.setBigUint64(at, BigInt(value), littleEndian)
      : view.setUint32(at, value, littleEndian);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1]);
  view.setUint16(16, type, littleEndian);
  view.setUint16(18, machine, littleEndian);
  view.setUint32(20, 1, littleEndian);
  word(wide ? 32 : 28, headerSize);
  view.setUint16(wide ? 54 : 42, segmentSize, littleEndian);
  view.setUint16(wide ? 56 : 44, headers, littleEndian);
  let segment = headerSize;
  const addSegment = (kind: number, offset: number, size: number) => {
    view.setUint32(segment, kind, littleEndian);
    word(segment + (wide ? 8 : 4), offset);
    word(segment + (wide ? 16 : 8), BASE + offset);
    word(segment + (wide ? 32 : 16), size);
    segment += segmentSize;
  };
  addSegment(1, 0, bytes.length);
  if (interpreter.length > 0) addSegment(3, interpreterAt, interpreter.length);
  if (dynamic) addSegment(2, dynamicAt, dynamicSize);
  interpreter.copy(bytes, interpreterAt);
  Buffer.concat(strings).copy(bytes, stringsAt);
  const all: [number, number][] = [...tags, [5, BASE + stringsAt], [10, used], [0, 0]];
  if (dynamic) {
    all.forEach(([tag, value], index) => {
      word(dynamicAt + index * entry, tag);
      word(dynamicAt + index * entry + entry / 2, value);
    });
  }
  return bytes;
}
