import { BrokenFile, Fields } from '../elf/bytes.js';

// struct elfhints_hdr, <elf-hints.h>: magic, version, strtab, strsize, dirlist, dirlistlen.
const MAGIC = 0x746e6845;
const VERSION = 1;
const HEADER = 24;
const MAX_DIRECTORIES = 4096;

/**
 * Reads /var/run/ld-elf.so.hints, where ldconfig(8) of the BSDs keeps the directories of libraries.
 *
 * @param bytes the file
 * @returns the directories in the order in which rtld(1) searches them
 * @throws BrokenFile it is none, or a broken one
 */
export function parseBsdHints(bytes: Uint8Array): string[] {
  if (bytes.length < HEADER) throw new BrokenFile('ends within its header');
  const fields = [new Fields(bytes, true), new Fields(bytes, false)].find(
    (one) => one.u32(0) === MAGIC,
  );
  if (fields?.u32(4) !== VERSION) throw new BrokenFile('is no file of hints that is known');
  const start = fields.u32(8) + fields.u32(16);
  const end = start + fields.u32(20);
  if (end > bytes.length) throw new BrokenFile('has its directories beyond its end');
  const directories = Buffer.from(bytes.subarray(start, end)).toString().split(':');
  return directories.filter((path) => path.startsWith('/')).slice(0, MAX_DIRECTORIES);
}
