/**
 * Roots of jails: `dragonfly-jail/rootfs`.
 *
 * @module
 */
export { prepareThinRoot, type ThinRoot, type ThinRootOptions } from './thin.js';
