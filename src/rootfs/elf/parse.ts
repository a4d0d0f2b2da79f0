import { decodeUtf8, hasControlCharacter } from '../../text.js';
import { BrokenFile, type ByteSource, Fields, readExactly } from './bytes.js';

/** What an ELF file says of its needs. See elf(5). */
export interface ElfFile {
  /** 32 or 64. */
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  /** `e_machine`: 62 is x86_64, 183 aarch64, … */
  readonly machine: number;
  /** A program with a place of its own (`ET_EXEC`), or what can be loaded anywhere: a library or a program (`ET_DYN`). */
  readonly type: 'executable' | 'shared';
  /** The loader (`PT_INTERP`), null where the kernel starts it by itself. */
  readonly interpreter: string | null;
  /** The libraries that it needs (`DT_NEEDED`), in their order. */
  readonly needed: readonly string[];
  /** What it is called where it is a library (`DT_SONAME`). */
  readonly soname: string | null;
  /** Directories to search, joined by colons (`DT_RPATH`, `DT_RUNPATH`). */
  readonly rpath: string | null;
  readonly runpath: string | null;
  /** It does not want the system's directories to be searched (`DF_1_NODEFLIB`). */
  readonly noDefaultLibraries: boolean;
}

const MAGIC = 0x464c457f;
const TYPES: Readonly<Record<number, ElfFile['type']>> = { 2: 'executable', 3: 'shared' };
const PT = { load: 1, dynamic: 2, interpreter: 3 } as const;
const DT = { needed: 1, strings: 5, stringsSize: 10, soname: 14, rpath: 15, runpath: 29 } as const;
const DT_FLAGS_1 = 0x6ffffffb;
const DF_1_NODEFLIB = 0x800;

// The kernel takes no longer ones: PATH_MAX, and 64 KiB of program headers.
const MAX_STRING = 4096;
const MAX_HEADERS = 65_536;
// 64 Ki entries; no linker writes as many.
const MAX_DYNAMIC = 1 << 20;
const MAX_NAMES = 4096;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

interface Header {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly machine: number;
  readonly type: ElfFile['type'];
  readonly segmentsAt: number;
  readonly segmentSize: number;
  readonly segments: number;
}

type Dynamic = ReadonlyMap<number, readonly number[]>;

/**
 * Does the file begin as an ELF file does?
 *
 * @param start its first bytes
 */
export function isElf(start: Uint8Array): boolean {
  return start.length >= 4 && new Fields(start).u32(0) === MAGIC;
}

/**
 * Reads what an ELF program or library needs. Nothing that the file says is believed: every place is checked
 * against its size, every length against what makes sense.
 *
 * @param source the file
 * @throws BrokenFile it is no such file, or a broken one; the message is the end of a sentence about it
 */
export function parseElf(source: ByteSource): ElfFile {
  const header = readHeader(source);
  const segments = readSegments(source, header);
  const dynamic = readDynamic(source, header, segments);
  const text = (tag: number) => stringsOf(source, segments, dynamic, dynamic.get(tag) ?? []);
  const last = (tag: number) => text(tag).at(-1) ?? null;
  return {
    bits: header.bits,
    littleEndian: header.littleEndian,
    machine: header.machine,
    type: header.type,
    interpreter: readInterpreter(source, segments),
    needed: text(DT.needed),
    soname: last(DT.soname),
    rpath: last(DT.rpath),
    runpath: last(DT.runpath),
    noDefaultLibraries: ((dynamic.get(DT_FLAGS_1)?.at(-1) ?? 0) & DF_1_NODEFLIB) !== 0,
  };
}

function readHeader(source: ByteSource): Header {
  const start = readExactly(source, 0, 20, 'header');
  if (!isElf(start.bytes)) throw new BrokenFile('is not an ELF file');
  const bits = classOf(start.u8(4));
  const littleEndian = orderOf(start.u8(5));
  const whole = readExactly(source, 0, bits === 64 ? 64 : 52, 'header');
  const fields = whole.in(littleEndian);
  const type = TYPES[fields.u16(16)];
  if (type === undefined) throw new BrokenFile('is an ELF file, but no program and no library');
  const at = bits === 64 ? 54 : 42;
  return {
    bits,
    littleEndian,
    machine: fields.u16(18),
    type,
    segmentsAt: bits === 64 ? fields.u64(32) : fields.u32(28),
    segmentSize: fields.u16(at),
    segments: fields.u16(at + 2),
  };
}

function classOf(value: number): 32 | 64 {
  if (value === 1) return 32;
  if (value === 2) return 64;
  throw new BrokenFile('is an ELF file of neither 32 nor 64 bits');
}

function orderOf(value: number): boolean {
  if (value === 1 || value === 2) return value === 1;
  throw new BrokenFile('is an ELF file of unknown byte order');
}

function readSegments(source: ByteSource, header: Header): Segment[] {
  const { bits, segmentsAt, segmentSize, segments } = header;
  if (segments === 0) throw new BrokenFile('is an ELF file without program headers');
  const expected = bits === 64 ? 56 : 32;
  if (segmentSize !== expected || segments * segmentSize > MAX_HEADERS) {
    throw new BrokenFile('is an ELF file with program headers without sense');
  }
  const length = segments * segmentSize;
  const table = readExactly(source, segmentsAt, length, 'program headers');
  const fields = table.in(header.littleEndian);
  return Array.from({ length: segments }, (_, index) =>
    segmentAt(fields, index * segmentSize, bits),
  );
}

function segmentAt(fields: Fields, at: number, bits: 32 | 64): Segment {
  const type = fields.u32(at);
  // What nobody asks for may hold anything: the address of a PT_GNU_STACK, say.
  if (type < PT.load || type > PT.interpreter) return { type, offset: 0, address: 0, size: 0 };
  if (bits === 64) {
    const [offset, address] = [fields.u64(at + 8), fields.u64(at + 16)];
    return { type, offset, address, size: fields.u64(at + 32) };
  }
  const [offset, address] = [fields.u32(at + 4), fields.u32(at + 8)];
  return { type, offset, address, size: fields.u32(at + 16) };
}

function readInterpreter(source: ByteSource, segments: readonly Segment[]): string | null {
  const segment = segments.find(({ type }) => type === PT.interpreter);
  if (segment === undefined) return null;
  if (segment.size > MAX_STRING) throw new BrokenFile('names a loader of more than 4096 bytes');
  const { bytes } = readExactly(source, segment.offset, segment.size, 'loader');
  const end = bytes.indexOf(0);
  const path = decode(bytes.subarray(0, end));
  if (end < 0 || !path.startsWith('/')) throw new BrokenFile('names a loader without sense');
  return path;
}

function readDynamic(source: ByteSource, header: Header, segments: readonly Segment[]): Dynamic {
  const segment = segments.find(({ type }) => type === PT.dynamic);
  if (segment === undefined) return new Map();
  if (segment.size > MAX_DYNAMIC) throw new BrokenFile('has a dynamic section without sense');
  const table = readExactly(source, segment.offset, segment.size, 'dynamic section');
  const fields = table.in(header.littleEndian);
  const entry = header.bits === 64 ? 16 : 8;
  const entries = new Map<number, number[]>();
  for (let at = 0; at + entry <= segment.size; at += entry) {
    const tag = fields.u32(header.bits === 32 || header.littleEndian ? at : at + 4);
    if (tag === 0) break;
    if (!isAskedFor(tag)) continue;
    const values = entries.get(tag) ?? [];
    if (values.length >= MAX_NAMES) throw new BrokenFile('needs more libraries than makes sense');
    values.push(header.bits === 64 ? fields.u64(at + 8) : fields.u32(at + 4));
    entries.set(tag, values);
  }
  return entries;
}

function isAskedFor(tag: number): boolean {
  return tag === DT_FLAGS_1 || Object.values<number>(DT).includes(tag);
}

/** The strings at these places of the dynamic string table. */
function stringsOf(
  source: ByteSource,
  segments: readonly Segment[],
  dynamic: Dynamic,
  offsets: readonly number[],
): string[] {
  if (offsets.length === 0) return [];
  const [address, size] = [dynamic.get(DT.strings)?.at(-1), dynamic.get(DT.stringsSize)?.at(-1)];
  if (address === undefined || size === undefined) {
    throw new BrokenFile('has names, but no table of them');
  }
  const table = placeOf(segments, address);
  return offsets.map((offset) => stringAt(source, table, size, offset));
}

/** Where in the file that is what the program sees at this address. */
function placeOf(segments: readonly Segment[], address: number): number {
  const segment = segments.find(
    (one) => one.type === PT.load && address >= one.address && address - one.address < one.size,
  );
  if (segment === undefined) throw new BrokenFile('has its table of names in no segment');
  return address - segment.address + segment.offset;
}

function stringAt(source: ByteSource, table: number, size: number, offset: number): string {
  if (offset >= size) throw new BrokenFile('has a name beyond its table of names');
  const length = Math.min(size - offset, MAX_STRING, Math.max(0, source.size - table - offset));
  const { bytes } = readExactly(source, table + offset, length, 'table of names');
  const end = bytes.indexOf(0);
  if (end < 0) throw new BrokenFile('has a name without an end');
  return decode(bytes.subarray(0, end));
}

// Names of files are bytes; those that are no UTF-8 cannot be given to node:fs as strings, nor hold NUL or LF.
function decode(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== null && !hasControlCharacter(text)) return text;
  throw new BrokenFile('has a name that is no text');
}
