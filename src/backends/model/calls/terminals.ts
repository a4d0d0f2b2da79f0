import { KernelHang } from '../kernel-error.js';
import type { Kernel } from '../kernel-state.js';
import { OpenFile } from '../open-file.js';
import type { ProcessEntry } from '../process.js';
import { Pty } from '../pty.js';
import { fileOf, install } from './files.js';

/** openpty(3). */
export function openPty(kernel: Kernel, process: ProcessEntry): { master: number; slave: number } {
  const pty = new Pty(kernel.ptys.size);
  kernel.ptys.add(pty);
  const { credential } = process;
  const closed = () => {
    pty.closeMaster();
    kernel.ptys.delete(pty);
  };
  const master = install(process, new OpenFile('terminal', credential, { closed, master: pty }));
  const slave = install(process, new OpenFile('terminal', credential, { slave: pty }));
  return { master, slave };
}

/** write(2) of so many bytes to a slave. @returns how many there was room for. @throws KernelError EIO: hung up */
export function writePty(
  kernel: Kernel,
  process: ProcessEntry,
  fd: number,
  length: number,
): number {
  const { slave } = fileOf(kernel, process, fd);
  if (slave === null) throw kernel.error('ENOTTY');
  if (slave.isHungUp) throw kernel.error('EIO');
  return slave.write(length);
}

/** read(2) of a master: everything that was written. */
export function readPty(kernel: Kernel, process: ProcessEntry, fd: number): number {
  const { master } = fileOf(kernel, process, fd);
  if (master === null) throw kernel.error('ENOTTY');
  return master.read();
}

/** The terminal whose last close this would be, and would wait for somebody to read it; null: none. */
export function waitsFor(file: OpenFile): Pty | null {
  return file.isLast && file.slave?.holdsClose === true ? file.slave : null;
}

/** @throws KernelHang where close(2) would not return until somebody reads */
export function assertCloses(file: OpenFile): void {
  const pty = waitsFor(file);
  if (pty === null) return;
  throw new KernelHang(`the last close of a terminal waits for ${pty.unread} bytes to be read`);
}
