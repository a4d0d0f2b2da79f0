import type { Io } from '../io.js';
import type { Account } from './accounts.js';

const DEFAULT_SHELL = '/bin/sh';

/** The environment that is passed on when nothing is asked for: all of it. */
export function inherited({ env }: Io): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) all[name] = value;
  return all;
}

/**
 * The clean environment of `jail -l`: what there is besides comes from the user, not from the caller.
 *
 * @param io whose TERM is kept
 * @param account of the host, for `-u`; null: the jail's own, whom the monitor looks up
 */
export function clean({ env: { TERM } }: Io, account: Account | null): Record<string, string> {
  const terminal = TERM === undefined ? {} : { TERM };
  if (account === null) return terminal;
  const { home, shell, name } = account;
  return { HOME: home, SHELL: shell === '' ? DEFAULT_SHELL : shell, USER: name, ...terminal };
}
