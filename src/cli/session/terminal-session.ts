import { setTimeout as sleep } from 'node:timers/promises';
import type { Jail } from '../../jail.js';
import type { JailedProcess } from '../../jailed-process.js';
import type { TerminalSize } from '../../spawn-options.js';
import type { Io } from '../io.js';
import type { SessionCommand, SessionEnd } from './command.js';
import { whenStarted } from './command.js';
import { rawMode } from './raw-mode.js';

const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };
const HANG_UP_GRACE_MS = 1000;
const QUIET_MS = 50;

/**
 * Runs a command on a terminal of its own, and makes it appear on that of dfjail: keys, size, everything. The terminal
 * of dfjail is as it was afterwards, also when dfjail is told to end meanwhile.
 *
 * @param jail where
 * @param command what
 * @param io with a terminal; where stdin is none, its end is typed as the end-of-file character
 * @throws what `JailedProcess` says when it cannot be run
 */
export async function terminalSession(
  jail: Jail,
  command: SessionCommand,
  io: Io,
): Promise<SessionEnd> {
  const { env = {}, ...options } = command.options;
  const terminalType = io.env.TERM === undefined ? {} : { TERM: io.env.TERM };
  const pty = sizeOf(io);
  const child = jail.spawn(command.file, command.args, {
    ...options,
    env: { ...terminalType, ...env },
    pty,
  });
  const exited = child.exited;
  exited.catch(() => {}); // it is awaited below, but a failure to start comes first
  const told = tellingSignal(child, io);
  child.stdout?.pipe(io.stdout, { end: false });
  try {
    await whenStarted(child);
    return await connected(child, io, async () => {
      const leaving = told.signal.then((signal) => hangUp(child, signal));
      const end = await Promise.race([exited, leaving]);
      await drained(child);
      const { exitCode, signal } = end.signal !== null && told.came() ? await leaving : end;
      return { exitCode, signal };
    });
  } finally {
    told.stop();
    child.stdout?.unpipe();
    child.stdout?.destroy();
  }
}

function sizeOf({ stdout }: Io): TerminalSize {
  const { columns = 0, rows = 0 } = stdout;
  return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE;
}

// Keys go to the command while `action` runs.
async function connected<T>(child: JailedProcess, io: Io, action: () => Promise<T>): Promise<T> {
  const raw = rawMode(io);
  const resize = () => {
    const { columns, rows } = sizeOf(io);
    child.resize(columns, rows);
  };
  // Somebody may have changed the terminal while dfjail was stopped.
  const stopContinue = io.onSignal('SIGCONT', () => {
    raw.again();
    resize();
  });
  io.stdout.on('resize', resize);
  child.stdin?.on('error', () => {});
  if (child.stdin !== null) io.stdin.pipe(child.stdin);
  resize(); // it may have changed since
  try {
    return await action();
  } finally {
    io.stdin.unpipe();
    io.stdin.pause();
    io.stdout.off('resize', resize);
    stopContinue();
    raw.restore();
  }
}

// Keys are no signals here: these come from elsewhere. The first kind is for the command, the others end dfjail.
function tellingSignal(child: JailedProcess, io: Io) {
  const stops = (['SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const).map((signal) =>
    io.onSignal(signal, () => child.kill(signal)),
  );
  let came = false;
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    const leave = (which: NodeJS.Signals) => {
      came = true;
      resolve(which);
    };
    stops.push(...(['SIGTERM', 'SIGHUP'] as const).map((each) => io.onSignal(each, leave)));
  });
  const stop = () => {
    for (const end of stops) end();
  };
  return { signal, came: () => came, stop };
}

// As when a terminal is closed. A shell that is used interactively takes no notice of SIGTERM.
async function hangUp(child: JailedProcess, signal: NodeJS.Signals): Promise<SessionEnd> {
  child.kill(signal);
  child.kill('SIGHUP');
  await Promise.race([child.exited.catch(() => {}), sleep(HANG_UP_GRACE_MS)]);
  return { exitCode: null, signal };
}

// All that the command has shown, but not what its children may still show for hours.
async function drained({ stdout }: JailedProcess): Promise<void> {
  if (stdout === null) return;
  let last = performance.now();
  const seen = () => {
    last = performance.now();
  };
  stdout.on('data', seen);
  while (!stdout.closed && performance.now() - last < QUIET_MS) await sleep(5);
  stdout.off('data', seen);
}
