import { KernelHang } from '../kernel-error.js';
import type { Kernel } from '../kernel-state.js';
import { OpenFile } from '../open-file.js';
import type { ProcessEntry } from '../process.js';
import { Pty } from '../pty.js';
import { fileOf, install } from './files.js';

/** Where slaves have their names; the devices of the model's devfs are not among them. */
const FOLDER = '/dev/pts/';

/** The two ends of a terminal. */
export interface OpenedPty {
  /** A descriptor. */
  readonly master: number;
  /** A descriptor. */
  readonly slave: number;
  /** Of the slave. */
  readonly name: string;
}

/** openpty(3). */
export function openPty(kernel: Kernel, process: ProcessEntry): OpenedPty {
  const pty = new Pty(kernel.ptys.size);
  kernel.ptys.add(pty);
  const { credential } = process;
  const closed = () => {
    pty.closeMaster();
    kernel.ptys.delete(pty);
  };
  const master = install(process, new OpenFile('terminal', credential, { closed, master: pty }));
  const slaveClosed = () => pty.closeSlave();
  const slaveFile = new OpenFile('terminal', credential, { closed: slaveClosed, slave: pty });
  return { master, slave: install(process, slaveFile), name: `${FOLDER}${pty.unit}` };
}

/**
 * write(2) of so many bytes to a slave.
 *
 * @returns how many there was room for
 * @throws KernelError EIO: the master is closed; EBADF: revoked; EAGAIN: there is no room
 */
export function writePty(
  kernel: Kernel,
  process: ProcessEntry,
  fd: number,
  length: number,
): number {
  const { slave } = fileOf(kernel, process, fd);
  if (slave === null) throw kernel.error('ENOTTY');
  if (slave.isRevoked) throw kernel.error('EBADF');
  if (!slave.isMasterOpen) throw kernel.error('EIO');
  const written = slave.write(length);
  if (written === 0 && length > 0) throw kernel.error('EAGAIN');
  return written;
}

/** read(2) of a master. @returns 0: nothing comes any more. @throws KernelError EAGAIN: nothing has come */
export function readPty(kernel: Kernel, process: ProcessEntry, fd: number, room: number): number {
  const { master } = fileOf(kernel, process, fd);
  if (master === null) throw kernel.error('ENOTTY');
  const length = master.read(room);
  if (length === 0 && master.isSlaveOpen) throw kernel.error('EAGAIN');
  return length;
}

/** revoke(2) of a terminal. @returns whether the path is one's */
export function revokePty(kernel: Kernel, path: string): boolean {
  const pty = [...kernel.ptys].find(({ unit }) => path === `${FOLDER}${unit}`);
  pty?.revoke();
  return pty !== undefined;
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
