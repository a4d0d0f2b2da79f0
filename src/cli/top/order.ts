import type { JailSample } from './sampler.js';

/** What jails can be sorted by. */
export const sortKeys = ['cpu', 'memory', 'processes', 'threads', 'name', 'jid'] as const;

/** One of {@link sortKeys}. */
export type SortKey = (typeof sortKeys)[number];

const compare: Readonly<Record<SortKey, (a: JailSample, b: JailSample) => number>> = {
  cpu: (a, b) => (b.cpu ?? 0) - (a.cpu ?? 0),
  memory: (a, b) => b.rss - a.rss,
  processes: (a, b) => b.processes - a.processes,
  threads: (a, b) => b.threads - a.threads,
  name: (a, b) => byText(a.name ?? a.hostname, b.name ?? b.hostname),
  jid: () => 0,
};

// The same everywhere, whatever the language of the user.
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Sorts jails.
 *
 * @param jails which
 * @param key by what: numbers fall, names and jids rise
 * @param reverse the other way round
 * @returns a fresh array; equal ones by jid
 */
export function sortJails(
  jails: readonly JailSample[],
  key: SortKey,
  reverse: boolean,
): readonly JailSample[] {
  const sign = reverse ? -1 : 1;
  return [...jails].sort((a, b) => sign * (compare[key](a, b) || a.jid - b.jid));
}
