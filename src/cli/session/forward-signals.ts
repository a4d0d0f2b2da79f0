import type { JailedProcess } from '../../jailed-process.js';
import { type Io, isTerminal } from '../io.js';

// All that somebody may send to a program to tell it something, and that can be caught.
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
];
// What a terminal sends to everything in its foreground, when keys are pressed or it is closed.
const OF_TERMINALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGHUP'];

/** What dfjail is sent, on its way to a command. */
export interface Forwarding {
  /** Names the command, once. */
  to(child: JailedProcess): void;
  stop(): void;
}

/**
 * Sends on to a command what dfjail is sent. What comes from the keyboard goes to what the command has started as well,
 * as it would without dfjail in between. It begins before there is the command, which may tell others that it runs as soon
 * as it does: what comes until it is named waits for that.
 *
 * @param io whose signals
 */
export function forwardSignals(io: Io): Forwarding {
  const early: NodeJS.Signals[] = [];
  let command: JailedProcess | null = null;
  const take = (signal: NodeJS.Signals) => {
    if (command === null) early.push(signal);
    else forward(signal, command, io);
  };
  const stops = FORWARDED.map((signal) => io.onSignal(signal, () => take(signal)));
  return {
    to(child) {
      command = child;
      for (const signal of early.splice(0)) take(signal);
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}

function forward(signal: NodeJS.Signals, child: JailedProcess, io: Io): void {
  if (!OF_TERMINALS.includes(signal) || !hasTerminal(io)) child.kill(signal);
  else if (child.pid !== undefined) signalAll(child, signal, io);
  // It may have started others before its pid, which names the group, is known here.
  else child.once('spawn', () => signalAll(child, signal, io));
}

function signalAll(child: JailedProcess, signal: NodeJS.Signals, io: Io): void {
  if (!signalGroup(child, signal, io)) child.kill(signal);
}

function hasTerminal(io: Io): boolean {
  return isTerminal(io, 'stdin') || isTerminal(io, 'stdout') || isTerminal(io, 'stderr');
}

// A command leads a session and a process group of its own; the group's number is free for others only after its end.
function signalGroup({ pid, exitCode, signalCode }: JailedProcess, signal: NodeJS.Signals, io: Io) {
  if (io.process === null || pid === undefined) return false;
  if (exitCode !== null || signalCode !== null) return false;
  try {
    io.process.signalGroup(pid, signal);
    return true;
  } catch {
    return false;
  }
}
