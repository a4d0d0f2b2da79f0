import { existsSync } from 'node:fs';
import { loadRcConf, type RcConf, type RcOptions, rcConfFiles } from '../../rc/index.js';
import type { Options, OptionValues } from '../command.js';
import { type Io, printLine } from '../io.js';
import { paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';

/** The options of `start`, `stop`, `restart` and `status`. */
export const rcOptions = {
  'rc-conf': {
    type: 'string',
    short: 'f',
    value: 'FILE',
    multiple: true,
    completes: 'file',
    help: 'Read the jails from this file; several are read in their order. Default: the files that rc(8) reads, as far as they are there.',
  },
  'run-dir': {
    type: 'string',
    value: 'DIR',
    completes: 'directory',
    help: 'Where the id files are. Default: /var/run',
  },
  'log-dir': {
    type: 'string',
    value: 'DIR',
    completes: 'directory',
    help: 'Where the console logs are. Default: /var/log',
  },
} as const satisfies Options;

/** The values of {@link rcOptions}. */
export type RcOptionValues = OptionValues<typeof rcOptions>;

/**
 * Reads the files that were given, or those that every system has, and tells on stderr what is doubtful in them.
 *
 * @param options the command line
 * @param io where to tell it; null: nowhere
 * @returns without any file: no jails
 * @throws RcError and others, as `loadRcConf()` does
 */
export function loadConf(options: RcOptionValues, io: Io | null): RcConf {
  const conf = loadRcConf(sourceOf(options));
  if (io !== null) {
    for (const { file, line, message } of conf.warnings) warn(io, file, line, message);
  }
  return conf;
}

function sourceOf({ 'rc-conf': given }: RcOptionValues) {
  // Of several, loadRcConf() leaves out those that are missing; but these were asked for.
  const missing = given.find((file) => !existsSync(file));
  if (missing !== undefined) return [missing];
  const files = given.length > 0 ? given : rcConfFiles.filter((file) => existsSync(file));
  return files.length > 0 ? files : { text: '\n' };
}

function warn(io: Io, file: string | null, line: number | null, message: string): void {
  const place = file === null ? '' : `${file}:${line === null ? '' : `${line}:`} `;
  const colour = paint(io.stderr, io.env);
  printLine(io.stderr, `${colour.warn('warning:')} ${escapeText(place + message)}`);
}

/**
 * How the jails are handled.
 *
 * @param options the command line
 */
export function rcSettings(options: RcOptionValues): RcOptions {
  const { 'run-dir': stateDirectory, 'log-dir': logDirectory } = options;
  return {
    ...(stateDirectory !== undefined && { stateDirectory }),
    ...(logDirectory !== undefined && { logDirectory }),
  };
}

/** What the files are called in a hint. */
export function confNames({ 'rc-conf': given }: RcOptionValues): string {
  return given.length > 0 ? given.join(', ') : 'rc.conf';
}
