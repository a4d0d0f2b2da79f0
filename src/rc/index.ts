/**
 * Jails of rc.conf(5), as `/etc/rc.d/jail` has them: `dragonfly-jail/rc`.
 *
 * @module
 */
export { loadRcConf } from './load.js';
export type { RcOptions } from './options.js';
export { RcError, type RcErrorDetails } from './rc-error.js';
export type { RcConf, RcJail, RcUser } from './rc-jail.js';
export type { RcWarning } from './shell/variables.js';
export { type RcSource, rcConfFiles } from './source.js';
export type { RcResult, RcStatus } from './status.js';
