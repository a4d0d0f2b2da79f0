import { exclusively } from '../exclusively.js';
import { filesOf } from './files.js';
import { type RcOptions, resolveOptions } from './options.js';
import type { RcJail } from './rc-jail.js';
import { start } from './start-jail.js';
import type { RcStatus } from './status.js';
import { stop } from './stop-jail.js';

/**
 * Stops a jail, if it runs, and starts it.
 *
 * @param jail    of {@link loadRcConf}
 * @param options see {@link RcOptions}
 * @returns how it stands then: `running`
 * @throws what {@link stopJail} and {@link startJail} throw
 * @see rc.d/jail `restart`
 * @example await restartJail(conf.jails.get('www'));
 */
export async function restartJail(jail: RcJail, options: RcOptions = {}): Promise<RcStatus> {
  const resolved = resolveOptions(options);
  const files = filesOf(jail, resolved);
  return exclusively(files.idFile, async () => {
    await stop(jail, files, resolved);
    return start(jail, files, resolved);
  });
}
