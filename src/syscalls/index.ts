/**
 * The bare calls of DragonFly BSD that jails are made of, for those who want them. {@link jail} and {@link jailAttach}
 * move *this* process into a jail, for good; of the `Jail` objects of `dragonfly-jail` only `attach()` does. On other systems every
 * call throws `ERR_JAIL_UNSUPPORTED`, after its arguments have been checked.
 *
 * @packageDocumentation
 */
export type { JailAddress, JailAddressInput } from '../addresses.js';
export { JailError, type JailErrorCode, JailSystemError } from '../errors.js';
export { type BareJailSpec, jail } from './jail.js';
export { jailAttach } from './jail-attach.js';
export type { SysctlId, SysctlNode, SysctlValue } from './sysctl.js';
export * as sysctl from './sysctl.js';
export type { SysctlType } from './sysctl-type.js';
