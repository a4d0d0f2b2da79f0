import { closeSync, openSync, readSync } from 'node:fs';
import { type as systemType } from 'node:os';

/** How much of a program's beginning is read for the name of its loader. */
const HEAD_BYTES = 4096;

/**
 * What a native part is made for: `linux-x64-glibc`, `linux-arm64-musl`, `dragonfly-x64`. The system goes by the
 * kernel's own name: `process.platform` is `freebsd` on DragonFly too, and a binary of the one must never be loaded on
 * the other. On Linux the C library belongs to it, since a binary of one does not load with the other.
 *
 * @param system the kernel's name, as uname(3) has it
 * @param arch   as `process.arch`
 * @param head   the first bytes of the program that Node is
 */
export function tupleOf(system: string, arch: string, head: Uint8Array): string {
  const parts = [system.toLowerCase(), arch];
  if (system === 'Linux') parts.push(usesMusl(head) ? 'musl' : 'glibc');
  return parts.join('-');
}

/** The tuple of this very process. */
export function hostTuple(): string {
  return tupleOf(systemType(), process.arch, headOf(process.execPath));
}

// The loader's path is in the head of every program that needs one: /lib/ld-musl-x86_64.so.1.
function usesMusl(head: Uint8Array): boolean {
  return Buffer.from(head).includes('/ld-musl-');
}

// What cannot be read says nothing; then loading itself will tell.
function headOf(file: string): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  try {
    const fd = openSync(file, 'r');
    try {
      return head.subarray(0, readSync(fd, head));
    } finally {
      closeSync(fd);
    }
  } catch {
    return head.subarray(0, 0);
  }
}
