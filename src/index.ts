/**
 * Jails of DragonFly BSD, and the same with namespaces on Linux: create, enter, list and end them.
 *
 * @packageDocumentation
 */
export type { AddressFamily, JailAddress, JailAddressInput } from './addresses.js';
export type { Capabilities, CapabilityName } from './capabilities.js';
export { defaultCapabilities, setDefaultCapabilities } from './capability-defaults.js';
export type {
  JailCreateMessage,
  JailExitMessage,
  JailSpawnMessage,
  JailStopMessage,
} from './diagnostics.js';
export {
  JailError,
  type JailErrorCode,
  type JailErrorOptions,
  JailSystemError,
  type SystemErrorDetails,
} from './errors.js';
export type { ExecResult } from './exec.js';
export { type CreateOptions, Jail, type JailEvents } from './jail.js';
export { JailedProcess, type JailedProcessEvents, type ProcessExit } from './jailed-process.js';
export type { Limits, LimitValue, RlimitName } from './limits.js';
export { findJails, type JailFilter, type ListOptions, listJails } from './list.js';
export type { MountOptions, MountSpec, MountType, TmpfsOptions } from './mounts.js';
export { probe } from './probe.js';
export { listProcesses } from './processes.js';
export { recover } from './recover.js';
export type {
  AttachReport,
  Feature,
  JailEvent,
  JailInfo,
  JailStep,
  JailUsage,
  KeptDescriptor,
  LingeringConnection,
  PlanStep,
  Probe,
  ProcessInfo,
  ProcessUsage,
  RecoveredJail,
} from './reports.js';
export type { ExecOptions, SpawnOptions, TerminalSize } from './spawn-options.js';
export type { JailSpec } from './spec.js';
export type { CommandStream } from './stdio.js';
export type { StdioOptions, StdioValue } from './stdio-options.js';
export type { StopOptions } from './stop-options.js';
export { type WatchOptions, watchJails } from './watch.js';
