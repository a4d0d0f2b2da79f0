import { isAbsolute, join } from 'node:path';
import { invalidValue } from '../errors.js';

const FOLDER = 'dragonfly-jail';

/**
 * Where the jails of this user are registered: in `runFolder` for root, else in `$XDG_RUNTIME_DIR`, and there
 * `dragonfly-jail`; else `/tmp/dragonfly-jail-<uid>`. The environment variable `DRAGONFLY_JAIL_STATE` overrides it. Who
 * makes a jail makes the directory and those above it; whoever uses it refuses one that somebody else owns.
 *
 * @param runFolder where this system keeps what does not outlive a boot: `/run`
 * @param env       the environment
 * @param uid       the effective user
 * @returns an absolute path
 * @throws JailError `ERR_INVALID_ARG_VALUE`: the override is not an absolute path
 */
export function stateDirectory(
  runFolder: string,
  env: NodeJS.ProcessEnv = process.env,
  uid: number = process.geteuid?.() ?? 0,
): string {
  const override = env.DRAGONFLY_JAIL_STATE;
  if (override) {
    if (isAbsolute(override)) return override;
    throw invalidValue('DRAGONFLY_JAIL_STATE', 'an absolute path', override);
  }
  if (uid === 0) return join(runFolder, FOLDER);
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime)) return join(runtime, FOLDER);
  return `/tmp/${FOLDER}-${uid}`;
}
