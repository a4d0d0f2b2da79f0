/**
 * Services in jails: `dragonfly-jail/supervisor`.
 *
 * @module
 */
export type {
  HealthCheck,
  LogFile,
  LogLine,
  Readiness,
  RestartPolicy,
  ServiceSpec,
  SupervisorOptions,
} from './service-spec.js';
export {
  readState,
  type ServiceState,
  type ServiceStatus,
  type SupervisorState,
} from './state-file.js';
export { type Reloaded, Supervisor, type SupervisorEvents } from './supervisor.js';
