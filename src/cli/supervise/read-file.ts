import { readTextFile } from '../../rc/source.js';
import { prepareThinRoot } from '../../rootfs/thin.js';
import { readState, type SupervisorState } from '../../supervisor/state-file.js';
import { UsageError } from '../failure.js';
import type { Definitions } from './definitions.js';
import { asState, servicesOfJson } from './from-json.js';
import { type RcServiceOptions, servicesOfRc } from './from-rc.js';

/** How a file is to be read. */
export interface ReadOptions {
  readonly rc: RcServiceOptions;
  /** Nothing is to be made, not even thin roots. */
  readonly onlyCheck: boolean;
}

/**
 * Reads the services of a file: JSON where it begins with a brace, else rc.conf(5). Thin roots that it asks for are
 * prepared.
 *
 * @param file    its path
 * @param options {@link ReadOptions}
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_RC`
 * @throws JailSystemError step `read`: `ENOENT`, …; step `root`
 */
export async function readDefinitions(
  file: string,
  { rc, onlyCheck }: ReadOptions,
): Promise<Definitions> {
  const text = readTextFile(file);
  if (!isJson(text)) return servicesOfRc(text, file, rc);
  const thin = onlyCheck ? async () => ({ mounts: [] }) : prepareThinRoot;
  return servicesOfJson(text, file, thin);
}

/**
 * What the supervisor of a file is doing.
 *
 * @param file a state file, or services as JSON that name their `stateFile`
 * @returns null: the state file is not there
 * @throws UsageError the file says nothing of a state
 */
export function stateOf(file: string): SupervisorState | null {
  const text = readTextFile(file);
  const found = isJson(text) ? asState(text, file) : null;
  if (found === null) {
    const hint = 'name the file that was given with --state';
    throw new UsageError(`${file} is no state file and names none`, hint);
  }
  return typeof found === 'string' ? readState(found) : found;
}

function isJson(text: string): boolean {
  return /^\s*\{/.test(text);
}
