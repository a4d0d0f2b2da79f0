import { close, createReadStream, createWriteStream, fstatSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { type Duplex, Readable, Writable } from 'node:stream';
import { isatty, ReadStream, WriteStream } from 'node:tty';
import { slotKinds } from '../../monitor/protocol.js';
import type { Native } from '../../native.js';
import type { CommandDescriptors } from '../backend.js';
import type { FileKind } from './open-file.js';
import { ModelTerminal } from './terminal.js';

/** The descriptors of a scripted program, as streams. */
export interface CommandEnds {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What stands at descriptors from 3 on; null: nothing. */
  readonly others: readonly (Duplex | null)[];
  /** What each descriptor is, by its number; null: it is closed. */
  readonly kinds: readonly (FileKind | null)[];
  /** What the three are, if they are a terminal. */
  readonly terminal: ModelTerminal | null;
  /** For a program that never ran. */
  close(): void;
}

/**
 * Opens the descriptors that a real command would get, for a function that stands for it. They are duplicates: those of
 * the caller are closed by `sent()`.
 */
export function openEnds(native: Native, descriptors: CommandDescriptors): CommandEnds {
  const passed = [...descriptors.passed];
  const fds = descriptors.slots.map((kind) => {
    return kind === slotKinds.passed ? native.duplicate(passed.shift() ?? -1) : null;
  });
  const kinds = descriptors.slots.map((slot, index) => kindOf(slot, fds[index] ?? null));
  if (descriptors.terminal !== null) return terminalEnds(native, descriptors, fds, kinds);
  const [input = null, output = null, errors = null, ...others] = fds;
  const stdin = input === null ? Readable.from([]) : readable(input);
  const stdout = output === null ? sink() : writable(output);
  const stderr = errors === null ? sink() : writable(errors);
  const further = others.map((fd) => (fd === null ? null : duplex(native, fd)));
  descriptors.sent();
  const all = [stdin, stdout, stderr, ...further].filter((stream) => stream !== null);
  for (const stream of all) stream.on('error', () => {}); // nobody reads, or writes, any more
  return {
    stdin,
    stdout,
    stderr,
    others: further,
    kinds,
    terminal: null,
    close: () => {
      for (const stream of all) stream.destroy();
    },
  };
}

function terminalEnds(
  native: Native,
  { terminal: source, sent }: CommandDescriptors,
  fds: readonly (number | null)[],
  kinds: CommandEnds['kinds'],
): CommandEnds {
  if (source === null) throw new TypeError('there is no terminal');
  const terminal = new ModelTerminal(
    fds.slice(0, 3).map((fd) => fd ?? -1),
    source,
  );
  const others = fds.slice(3).map((fd) => (fd === null ? null : duplex(native, fd)));
  sent();
  const { stdin, screen } = terminal;
  const all = [stdin, screen, ...others].filter((stream) => stream !== null);
  for (const stream of all) stream.on('error', () => {});
  const close = () => {
    for (const stream of all) stream.destroy();
  };
  return { stdin, stdout: screen, stderr: screen, others, kinds, terminal, close };
}

function kindOf(slot: number, fd: number | null): FileKind | null {
  if (slot === slotKinds.closed) return null;
  if (fd === null) return 'null';
  if (isatty(fd)) return 'terminal';
  const stat = fstatSync(fd);
  if (stat.isSocket()) return 'socket';
  return stat.isFIFO() ? 'pipe' : 'file';
}

// Streams of ours must not keep a program alive that has unref'd the command: that is for the command itself to do.
function readable(fd: number): Readable {
  if (isatty(fd)) return new ReadStream(fd).unref();
  if (!isStream(fd)) return createReadStream('', { fd });
  return new Socket({ fd, readable: true, writable: false }).unref();
}

function writable(fd: number): Writable {
  if (isatty(fd)) return new WriteStream(fd);
  if (fstatSync(fd).isFile()) return fileOutput(fd);
  if (!isStream(fd)) return createWriteStream('', { fd });
  return new Socket({ fd, readable: false, writable: true });
}

// At once: stdout and stderr may be one file, in which all stands in the order of writing.
function fileOutput(fd: number): Writable {
  return new Writable({
    write: (chunk, _encoding, done) => {
      try {
        writeFileSync(fd, chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    destroy: (error, done) => {
      close(fd);
      done(error);
    },
  });
}

// Pipes and sockets go both ways here; of anything else programs of the model have three.
function duplex(native: Native, fd: number): Duplex | null {
  if (isStream(fd)) return new Socket({ fd, readable: true, writable: true }).unref();
  native.close(fd);
  return null;
}

function isStream(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
