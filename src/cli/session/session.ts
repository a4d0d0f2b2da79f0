import type { Jail } from '../../jail.js';
import { type Io, isTerminal } from '../io.js';
import type { SessionCommand, SessionEnd } from './command.js';
import { plainSession } from './plain-session.js';
import { terminalSession } from './terminal-session.js';

/**
 * Runs a command in a jail for whoever called dfjail: with its streams, or on a terminal of its own that appears on the
 * caller's.
 *
 * @param jail where
 * @param command what
 * @param io whose streams, terminal and signals
 * @returns how it ended
 * @throws JailSystemError step `exec` and others, JailError: as `Jail.spawn()` tells
 * @example const code = exitCodeAfter(await session(jail, { file: 'sh', args: [], options: {} }, io));
 */
export function session(jail: Jail, command: SessionCommand, io: Io): Promise<SessionEnd> {
  const terminal = command.terminal ?? hasTerminal(io);
  return terminal ? terminalSession(jail, command, io) : plainSession(jail, command, io);
}

// All three: otherwise what is redirected (2>errors) would end up on the screen.
function hasTerminal(io: Io): boolean {
  return isTerminal(io, 'stdin') && isTerminal(io, 'stdout') && isTerminal(io, 'stderr');
}
