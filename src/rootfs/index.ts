/**
 * Roots of jails: `dragonfly-jail/rootfs`.
 *
 * @module
 */
export { inspectRoot, type RootInspection } from './inspect.js';
export type { MissingLibrary } from './libraries/load.js';
export { ProgramError, type ProgramErrorCode, type ProgramErrorDetails } from './program-error.js';
export { buildServiceRoot, type PlacedFile, type ServiceRoot } from './service/build.js';
export type {
  OwnerName,
  ServiceDirectory,
  ServiceFile,
  ServiceRootOptions,
  ServiceUser,
} from './service/options.js';
export { prepareThinRoot, type ThinRoot, type ThinRootOptions } from './thin.js';
