import { assertInteger } from '../validate.js';
import { callKernel } from './kernel.js';

const MAX_JID = 999_998;

/**
 * jail_attach(2): moves **this process** into a running jail, **for good**. Programs that go on outside want
 * `Jail.open()` of `dragonfly-jail`, whose commands are started in the jail.
 *
 * What it does to the process is what `jail()` does: all threads go along, `/` becomes the jail's, the working directory
 * is not changed and leads out (`process.chdir('/')` after the call), open descriptors are kept, those of directories
 * lead out too; ids, environment and limits stay. A jail that waits for its end is kept by it.
 *
 * @param jid the jail, 1–999,998; see `listJails()` of `dragonfly-jail`
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the jid
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: this is not DragonFly; `ERR_JAIL_NATIVE`: the addon is missing
 * @throws JailSystemError `EINVAL`: there is no such jail; `EPERM`: not root, in a jail already, or an open directory
 *   (see `jail()`); `ENOENT`, `ENOTDIR`, `EACCES`: the jail's directory is gone or may not be entered
 * @see jail_attach(2), jexec(8)
 * @example
 * ```ts
 * import { jailAttach } from 'dragonfly-jail/syscalls';
 *
 * jailAttach(3);
 * process.chdir('/');
 * ```
 */
export function jailAttach(jid: number): void {
  assertInteger(jid, 'jid', 1, MAX_JID);
  callKernel('jail_attach(2)', (native) => native.jailAttach(jid), { jid });
}
