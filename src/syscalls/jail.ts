import { realpathSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { type JailAddressInput, resolveAddresses } from '../addresses.js';
import { compiledLayout } from '../backends/dragonfly/compiled-layout.js';
import { checkListingBudget } from '../backends/dragonfly/jail-list.js';
import { type JailArguments, packJail } from '../backends/dragonfly/jail-struct.js';
import { JailSystemError } from '../errors.js';
import { resolveHostname } from '../spec.js';
import { assertAbsolutePath, assertKnownKeys, assertObject } from '../validate.js';
import { callKernel, type SyscallsNative } from './kernel.js';

/** What {@link jail} is told. */
export interface BareJailSpec {
  /** The directory that becomes `/`, absolute. */
  path: string;
  /** 1–255 bytes without white space and control characters. */
  hostname: string;
  /**
   * The first of each family is the primary one. They are put on no interface, and a scope is not passed on: the
   * kernel keeps bare addresses. Default: none, a jail without a network.
   */
  addresses?: readonly JailAddressInput[];
}

/**
 * jail(2): makes a jail **and moves this process into it, for good**. There is no way out again, and no other call that
 * makes a jail; programs that go on outside want `Jail.create()` of `dragonfly-jail`, which does this in a child.
 *
 * - All threads go along, worker threads and Node's own included; one that waits in the kernel at that moment is in the
 *   jail when its call returns.
 * - `/` is the jail's from then on, so nothing outside can be loaded any more: import and open everything before.
 * - The working directory is **not** changed and leads out of the jail: `process.chdir('/')` after the call.
 * - Open descriptors are kept. Those of directories lead out as well, and a socket keeps the network that it was made
 *   in: close what the jail shall not have. With `kern.chroot_allow_open_directories=0`, and after an earlier chroot(2),
 *   an open directory makes the call fail with EPERM.
 * - User and group ids, environment and limits stay as they are.
 * - The capabilities are the kernel's defaults (`jail.defaults.*`): all off since DragonFly 5.8, unless rc.d/jail or
 *   sysctl(8) set others. From inside they cannot be changed.
 * - The jail ends with its last process, socket or open file.
 *
 * A call that fails changes nothing for this process; since one that fails late leaves references behind in the kernel,
 * the directory is looked at first.
 *
 * @param spec the jail
 * @returns its jid, 1–999,998
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the spec
 * @throws JailError `ERR_JAIL_LIMIT`: path, hostname and addresses are too long together for the kernel's list of jails
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: this is not DragonFly; `ERR_JAIL_NATIVE`: the addon is missing
 * @throws JailSystemError `EPERM`: not root, in a jail already, or an open directory; `ENOENT`, `ENOTDIR`, `EACCES`,
 *   `ELOOP`, `ENAMETOOLONG`, `EIO`: the path; `ERANGE`: no free jid
 * @see jail(2), jail(8), chroot(2)
 * @example
 * ```ts
 * import { jail } from 'dragonfly-jail/syscalls';
 *
 * const jid = jail({ path: '/jails/www', hostname: 'www', addresses: ['192.0.2.10', '2001:db8::10'] });
 * process.chdir('/');
 * console.log(`this process is in jail ${jid}`);
 * ```
 */
export function jail(spec: BareJailSpec): number {
  const checked = checkSpec(spec);
  checkListingBudget(checked);
  const { path } = checked;
  return callKernel('jail(2)', (native) => enter(native, checked), { path });
}

function checkSpec(spec: unknown): JailArguments {
  assertObject(spec, 'spec', 'an object describing the jail');
  assertKnownKeys(spec, ['path', 'hostname', 'addresses'], 'spec');
  const { path } = spec;
  assertAbsolutePath(path, 'path', 'a directory path');
  const hostname = resolveHostname(spec.hostname);
  const addresses = resolveAddresses(spec.addresses).map(({ address }) => address);
  return { path, hostname, addresses };
}

function enter(native: SyscallsNative, spec: JailArguments): number {
  mustBeDirectory(spec.path);
  // What is listed is the path without symbolic links.
  checkListingBudget({ ...spec, path: realpathSync(spec.path) });
  const { bytes, pointers } = packJail(spec, compiledLayout(native.compiledFields()));
  return native.jail(bytes, pointers);
}

function mustBeDirectory(path: string): void {
  if (statSync(path).isDirectory()) return;
  throw new JailSystemError({ errno: constants.errno.ENOTDIR, syscall: 'jail', path });
}
