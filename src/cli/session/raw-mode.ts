import type { Io } from '../io.js';

/** A terminal in raw mode. */
export interface RawMode {
  /** Sets it once more: somebody else may have changed it. */
  again(): void;
  restore(): void;
}

/**
 * Has every key come as it is: no echo, no lines, no signals. However the program ends (but for SIGKILL), the terminal
 * is put back: here, or by Node itself, which does so whenever it exits.
 *
 * @param io whose stdin; where that is no terminal, nothing is done
 */
export function rawMode({ stdin }: Io): RawMode {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) {
    return { again: () => {}, restore: () => {} };
  }
  stdin.setRawMode(true);
  return {
    again() {
      stdin.setRawMode?.(false);
      stdin.setRawMode?.(true);
    },
    restore: () => void stdin.setRawMode?.(false),
  };
}
