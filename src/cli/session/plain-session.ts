import { fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Jail } from '../../jail.js';
import type { JailedProcess } from '../../jailed-process.js';
import { type Io, isTerminal, type StreamName } from '../io.js';
import type { SessionCommand, SessionEnd } from './command.js';
import { whenStarted } from './command.js';
import { forwardSignals } from './forward-signals.js';

// What a command has left in the pipes is there when it has ended; what it has started may hold them open for ever.
const QUIET_MS = 50;

/** Where a command's output goes instead of to stdout and stderr. */
export interface Sink {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/**
 * Runs a command without a terminal of its own. It gets stdin, stdout and stderr of dfjail as they are, but never a
 * terminal: with the descriptor of one a jail could type into it.
 *
 * @param jail where
 * @param command what
 * @param io whose streams and signals
 * @param sink for the output; else it goes where that of dfjail goes
 * @throws what `JailedProcess` says when it cannot be run
 */
export async function plainSession(
  jail: Jail,
  command: SessionCommand,
  io: Io,
  sink: Sink | null = null,
): Promise<SessionEnd> {
  const stdio = [
    slot(io, 'stdin', 0),
    sink === null ? slot(io, 'stdout', 1) : 'pipe',
    sink === null ? slot(io, 'stderr', 2) : 'pipe',
  ] as const;
  const forwarding = forwardSignals(io);
  let stopFeeding = () => {};
  try {
    const child = jail.spawn(command.file, command.args, { ...command.options, stdio });
    forwarding.to(child);
    const quiet = [
      drain(child.stdout, () => sink?.stdout ?? io.stdout),
      drain(child.stderr, () => sink?.stderr ?? io.stderr),
    ];
    const exited = child.exited;
    exited.catch(() => {}); // it is awaited below, but a failure to start comes first
    await whenStarted(child);
    stopFeeding = feed(child, io);
    const { exitCode, signal } = await exited;
    for (const isQuiet of quiet) await isQuiet();
    return { exitCode, signal };
  } finally {
    forwarding.stop();
    stopFeeding();
  }
}

// A directory would let the jail out on DragonFly: descriptors survive jail(2).
function slot(io: Io, name: StreamName, fd: 0 | 1 | 2): 'pipe' | number {
  if (io.process === null || isTerminal(io, name)) return 'pipe';
  return fstatSync(fd).isDirectory() ? 'pipe' : fd;
}

// Nothing is read unless it is for the command.
function feed({ stdin: target }: JailedProcess, io: Io): () => void {
  if (target === null) return () => {};
  target.on('error', () => {}); // the command need not read all of it
  io.stdin.on('error', () => target.end()); // a directory, for one
  io.stdin.pipe(target);
  return () => {
    io.stdin.unpipe();
    io.stdin.pause();
  };
}

// Gives a wait that ends when nothing has come for a moment, or the stream is over.
function drain(source: Readable | null, target: () => Writable): () => Promise<void> {
  if (source === null) return async () => {};
  let last = performance.now();
  source.on('data', () => {
    last = performance.now();
  });
  source.pipe(target(), { end: false });
  return async () => {
    last = performance.now();
    while (!source.closed && performance.now() - last < QUIET_MS) await sleep(5);
    source.destroy();
  };
}
