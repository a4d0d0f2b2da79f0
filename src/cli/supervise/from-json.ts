import { invalidType, JailError } from '../../errors.js';
import type { prepareThinRoot, ThinRootOptions } from '../../rootfs/thin.js';
import type { ServiceSpec, SupervisorOptions } from '../../supervisor/service-spec.js';
import type { SupervisorState } from '../../supervisor/state-file.js';
import {
  assertAbsolutePath,
  assertArray,
  assertKnownKeys,
  assertObject,
  assertText,
  type UnknownRecord,
} from '../../validate.js';
import type { Definitions } from './definitions.js';

/**
 * Services as JSON: `{ "services": { NAME: ServiceSpec, … }, "stateFile", "onExit" }`. Two things are different from the
 * API: `ready.pattern` is the source of an expression, and `thin` (true, or a list of further directories) has the
 * jail's path made a thin root.
 *
 * @param text the file's
 * @param file for errors
 * @param thin makes thin roots
 */
export async function servicesOfJson(
  text: string,
  file: string,
  thin: typeof prepareThinRoot,
): Promise<Definitions> {
  const value = parse(text, file);
  assertKnownKeys(value, ['services', 'stateFile', 'onExit'], file);
  const { services, stateFile, onExit } = value;
  assertObject(services, 'services');
  const entries = await Promise.all(
    Object.entries(services).map(async ([name, one]) => [name, await serviceOf(one, name, thin)]),
  );
  const options = {
    ...(stateFile !== undefined && { stateFile }),
    ...(onExit !== undefined && { onExit }),
  };
  // Both are checked by the Supervisor, which knows their defaults.
  return {
    services: Object.fromEntries(entries) as Record<string, ServiceSpec>,
    options: options as SupervisorOptions,
    warnings: [],
  };
}

/** A state, or the path of the state file that these services have; null: none. */
export function asState(text: string, file: string): SupervisorState | string | null {
  const value = parse(text, file);
  if (value.version === 1 && Array.isArray(value.services)) {
    return value as unknown as SupervisorState;
  }
  if (value.stateFile === undefined) return null;
  assertAbsolutePath(value.stateFile, 'stateFile');
  return value.stateFile;
}

function parse(text: string, file: string): UnknownRecord {
  try {
    const value: unknown = JSON.parse(text);
    assertObject(value, file);
    return value;
  } catch (error) {
    if (error instanceof JailError) throw error;
    const message = `${file} is not JSON: ${(error as Error).message}`;
    throw new JailError('ERR_INVALID_ARG_VALUE', message, { cause: error });
  }
}

async function serviceOf(
  value: unknown,
  name: string,
  prepare: typeof prepareThinRoot,
): Promise<unknown> {
  const at = `services.${name}`;
  assertObject(value, at);
  const { thin, ...service } = value;
  const jail =
    thin === undefined
      ? value.jail
      : await thinJail(value.jail, includes(thin, `${at}.thin`), at, prepare);
  return {
    ...service,
    jail,
    ...(value.ready !== undefined && { ready: readyOf(value.ready, at) }),
  };
}

async function thinJail(
  jail: unknown,
  options: ThinRootOptions,
  at: string,
  prepare: typeof prepareThinRoot,
): Promise<unknown> {
  assertObject(jail, `${at}.jail`);
  assertAbsolutePath(jail.path, `${at}.jail.path`);
  const { mounts } = await prepare(jail.path, options);
  const { mounts: more = [] } = jail;
  assertArray(more, `${at}.jail.mounts`);
  return { ...jail, mounts: [...mounts, ...more] };
}

function includes(thin: unknown, at: string): ThinRootOptions {
  if (thin === true) return {};
  if (!Array.isArray(thin)) throw invalidType(at, 'true or a list of directories', thin);
  const include = thin.map((item: unknown, i) => {
    assertText(item, `${at}[${i}]`);
    return item;
  });
  return { include };
}

function readyOf(value: unknown, at: string): unknown {
  assertObject(value, `${at}.ready`);
  const { pattern, ...ready } = value;
  if (pattern === undefined) return ready;
  assertText(pattern, `${at}.ready.pattern`);
  try {
    return { ...ready, line: new RegExp(pattern) };
  } catch (error) {
    const message = `${at}.ready.pattern: ${(error as Error).message}`;
    throw new JailError('ERR_INVALID_ARG_VALUE', message, { cause: error });
  }
}
