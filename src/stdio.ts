import { Socket, type SocketConstructorOpts } from 'node:net';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { CommandDescriptors } from './backends/backend.js';
import { JailSystemError } from './errors.js';
import { slotKinds } from './monitor/protocol.js';
import { type Native, nativeFailure } from './native.js';
import type { ResolvedSpawn, TerminalSize } from './spawn-options.js';
import type { ResolvedStdio } from './stdio-options.js';
import { Terminal } from './terminal.js';

/** Our end of one of a command's descriptors. */
export type CommandStream = Readable | Writable | Duplex;

/** A command's descriptors: those that it gets, and our ends of them. */
export interface CommandStdio extends CommandDescriptors {
  /**
   * Our end of a slot; null where it is none of ours. Made when it is first asked for: streams are the greater part of
   * what spawning costs.
   */
  stream(slot: number): CommandStream | null;
  readonly terminal: Terminal | null;
}

/** Streams of ours that were given to another command to read: nobody else may read them. */
const givenAway = new WeakSet<object>();

/**
 * Makes the pipes or the terminal of a command.
 *
 * @param native  the addon
 * @param command what it is to have
 * @returns everything open; `sent()` closes what only the command needs
 * @throws JailSystemError step `stdio`: `EBADF` (a descriptor that is not open), `EMFILE`, … Nothing stays open then.
 */
export function openStdio(native: Native, command: ResolvedSpawn): CommandStdio {
  if (isSilent(command)) return SILENT;
  const builder = new StdioBuilder(native);
  try {
    if (command.pty !== null) builder.addTerminal(command.pty);
    const first = command.pty === null ? 0 : 3;
    for (let slot = first; slot < command.stdio.length; slot++) {
      builder.add(command.stdio[slot] ?? { kind: 'closed' });
    }
    return builder.finish();
  } catch (error) {
    builder.abandon();
    throw nativeFailure(error, { step: 'stdio' });
  }
}

const SILENT: CommandStdio = {
  slots: [slotKinds.null, slotKinds.null, slotKinds.null],
  passed: [],
  stream: () => null,
  terminal: null,
  sent: () => {},
};

function isSilent({ pty, stdio }: ResolvedSpawn): boolean {
  return (
    pty === null && stdio.length === 3 && isNull(stdio[0]) && isNull(stdio[1]) && isNull(stdio[2])
  );
}

function isNull(slot: ResolvedStdio | undefined): boolean {
  return slot?.kind === 'null';
}

/** Was this stream given to another command? */
export function isGivenAway(stream: object): boolean {
  return givenAway.has(stream);
}

class StdioBuilder {
  readonly #native: Native;
  readonly #slots: number[] = [];
  readonly #passed: number[] = [];
  readonly #ends: (OurEnd | null)[] = [];
  /** Descriptors of ours that only the command needs. */
  #theirs: number[] = [];
  #terminal: Terminal | null = null;

  constructor(native: Native) {
    this.#native = native;
  }

  addTerminal(size: Readonly<TerminalSize>): void {
    const [master, slave, hold] = this.#native.openPty(size.columns, size.rows);
    this.#theirs.push(slave);
    if (hold !== undefined) this.#theirs.push(hold);
    const terminal = new Terminal(this.#native, master, size);
    this.#terminal = terminal;
    this.#pass(slave, new OurEnd(() => terminal.input));
    this.#pass(slave, new OurEnd(() => terminal.output));
    this.#pass(slave, null);
  }

  add(slot: ResolvedStdio): void {
    if (slot.kind === 'pipe') this.#addPipe();
    else if (slot.kind === 'fd') this.#addDescriptor(slot.fd, slot.stream);
    else this.#put(slot.kind === 'null' ? slotKinds.null : slotKinds.closed, null);
  }

  finish(): CommandStdio {
    return {
      slots: this.#slots,
      passed: this.#passed,
      stream: (slot) => this.#ends[slot]?.open() ?? null,
      terminal: this.#terminal,
      sent: () => this.#closeTheirs(),
    };
  }

  abandon(): void {
    this.#closeTheirs();
    for (const end of this.#ends) end?.open().destroy();
  }

  // Pipes for the three of old: a program may open /dev/stdout again, which fails for sockets. The others go both ways,
  // as those of child_process do.
  #addPipe(): void {
    const slot = this.#slots.length;
    if (slot >= 3) {
      const [ours, theirs] = this.#native.socketPair();
      this.#adopt(theirs, { fd: ours, readable: true, writable: true });
      return;
    }
    const input = slot === 0;
    const [reader, writer] = this.#native.pipe(!input);
    const ours = { fd: input ? writer : reader, readable: !input, writable: input };
    this.#adopt(input ? reader : writer, ours);
  }

  #adopt(theirs: number, ours: SocketConstructorOpts): void {
    this.#theirs.push(theirs);
    this.#pass(theirs, new OurEnd(() => new Socket(ours)));
  }

  #addDescriptor(fd: number, stream: object | null): void {
    if (!this.#native.isOpen(fd)) throw notOpen(this.#slots.length);
    if (stream !== null) giveAway(stream);
    this.#pass(fd, null);
  }

  #pass(fd: number, end: OurEnd | null): void {
    this.#passed.push(fd);
    this.#put(slotKinds.passed, end);
  }

  #put(kind: number, end: OurEnd | null): void {
    this.#slots.push(kind);
    this.#ends.push(end);
  }

  #closeTheirs(): void {
    for (const fd of this.#theirs) this.#native.close(fd);
    this.#theirs = [];
  }
}

class OurEnd {
  readonly #make: () => CommandStream;
  #stream: CommandStream | null = null;

  constructor(make: () => CommandStream) {
    this.#make = make;
  }

  open(): CommandStream {
    this.#stream ??= this.#make();
    return this.#stream;
  }
}

function notOpen(slot: number): JailSystemError {
  const errno = constants.errno.EBADF;
  return new JailSystemError({ errno, syscall: 'fcntl', step: 'stdio', path: `stdio[${slot}]` });
}

// A socket reads ahead as soon as it exists. What a command is to read must not end up in our buffer.
function giveAway(stream: object): void {
  if (!(stream instanceof Socket)) return;
  const handle: unknown = Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const stopReading: unknown = Reflect.get(handle, 'readStop');
  if (typeof stopReading !== 'function') return;
  Reflect.set(handle, 'reading', false);
  stopReading.call(handle);
  stream.pause();
  givenAway.add(stream);
}
