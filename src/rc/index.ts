/**
 * Jails of rc.conf(5), as `/etc/rc.d/jail` has them: `dragonfly-jail/rc`.
 *
 * @module
 */
export { type FstabEntry, parseFstab } from './fstab.js';
export { jailStatus } from './jail-status.js';
export { loadRcConf } from './load.js';
export type { RcOptions } from './options.js';
export { RcError, type RcErrorDetails } from './rc-error.js';
export type { RcConf, RcJail, RcUser } from './rc-jail.js';
export { restartJail } from './restart-jail.js';
export type { RcWarning } from './shell/variables.js';
export { type RcSource, rcConfFiles } from './source.js';
export { startAll, stopAll } from './start-all.js';
export { startJail } from './start-jail.js';
export type { RcResult, RcStatus } from './status.js';
export { stopJail } from './stop-jail.js';
