import type { Io } from './io.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What came of something that can be interrupted. */
export interface Interrupted<T> {
  /** Undefined when a signal came before there was a value. */
  readonly value: T | undefined;
  /** The first signal that came. */
  readonly signal: NodeJS.Signals | null;
}

/**
 * Does something that is aborted by the signals that end a program.
 *
 * @param io whose signals
 * @param action is given what aborts it; what it throws then is taken for the consequence
 * @throws what `action` throws when no signal came
 */
export async function interruptible<T>(
  io: Io,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<Interrupted<T>> {
  const aborter = new AbortController();
  let came: NodeJS.Signals | null = null;
  const stops = SIGNALS.map((signal) =>
    io.onSignal(signal, () => {
      came ??= signal;
      aborter.abort();
    }),
  );
  try {
    const value = await action(aborter.signal);
    return { value, signal: came };
  } catch (error) {
    if (came === null) throw error;
    return { value: undefined, signal: came };
  } finally {
    for (const stop of stops) stop();
  }
}
