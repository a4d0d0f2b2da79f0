import { filesOf } from './files.js';
import { type Found, findRunning } from './find-running.js';
import { type RcOptions, resolveOptions } from './options.js';
import type { RcJail } from './rc-jail.js';
import type { RcStatus } from './status.js';

/**
 * How a jail of rc.conf(5) stands, whoever has started it: this package or rc.d/jail.
 *
 * @param jail    of {@link loadRcConf}
 * @param options where its id file is
 * @returns `stale` when there is an id file, but no such jail: it has ended by itself, or the system was started anew
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; JailSystemError step `id-file`, and what
 *   `listJails()` throws
 * @example
 * for (const jail of conf.jails.values()) console.log(jail.name, jailStatus(jail).state);
 */
export function jailStatus(jail: RcJail, options: RcOptions = {}): RcStatus {
  const files = filesOf(jail, resolveOptions(options));
  return describe(jail, files, findRunning(jail, files.idFile), false);
}

/** A status out of what was found. */
export function describe(
  jail: RcJail,
  files: Pick<RcStatus, 'idFile' | 'consoleLog'>,
  { running, leftover, hasIdFile, writtenJid }: Found,
  changed: boolean,
): RcStatus {
  const { name, path } = jail;
  // Without an id file it is stopped, as rc.d/jail sees it, unless something still runs in it.
  const alive = running ?? (leftover?.state === 'running' ? leftover : null);
  if (alive !== null) {
    const { jid, hostname } = alive;
    return { name, state: 'running', jid, hostname, path, ...files, changed };
  }
  const state = hasIdFile ? 'stale' : 'stopped';
  return { name, state, jid: writtenJid, hostname: null, path, ...files, changed };
}
