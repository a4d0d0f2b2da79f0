import { isAbsolute, join } from 'node:path';
import { invalidValue } from '../errors.js';

const FOLDER = 'dragonfly-jail';

/**
 * Where the jails of this user are registered: `/run/dragonfly-jail` for root, else `$XDG_RUNTIME_DIR/dragonfly-jail`,
 * else `/tmp/dragonfly-jail-<uid>`. The environment variable `DRAGONFLY_JAIL_STATE` overrides it. Who uses the
 * directory makes it, and refuses one that somebody else owns.
 *
 * @param env the environment
 * @param uid the effective user
 * @returns an absolute path
 * @throws JailError `ERR_INVALID_ARG_VALUE`: the override is not an absolute path
 */
export function stateDirectory(
  env: NodeJS.ProcessEnv = process.env,
  uid: number = process.geteuid?.() ?? 0,
): string {
  const override = env.DRAGONFLY_JAIL_STATE;
  if (override) {
    if (isAbsolute(override)) return override;
    throw invalidValue('DRAGONFLY_JAIL_STATE', 'an absolute path', override);
  }
  if (uid === 0) return join('/run', FOLDER);
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime)) return join(runtime, FOLDER);
  return `/tmp/${FOLDER}-${uid}`;
}
