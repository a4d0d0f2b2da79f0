import { capabilityNames } from '../../capabilities.js';
import type { Completion } from '../command.js';

/** What can stand in a place: some words, what a command prints, or names of files. */
export interface Words {
  readonly list: readonly string[];
  /** Prints further words, one a line. */
  readonly command?: string;
  readonly files?: 'file' | 'directory' | 'program';
}

/**
 * What a shell offers for a kind of word.
 *
 * @param kind what is wanted there; undefined: nothing that can be known
 */
export function words(kind: Completion | readonly string[] | undefined): Words {
  if (kind === undefined) return { list: [] };
  if (typeof kind !== 'string') return { list: kind };
  if (kind === 'jail') return { list: [], command: 'dfjail ls --quiet' };
  if (kind === 'rc-jail') return { list: [], command: 'dfjail status --quiet' };
  if (kind === 'capability') return { list: capabilityNames };
  return { list: [], files: kind };
}
