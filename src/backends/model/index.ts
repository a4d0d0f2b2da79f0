/**
 * `dragonfly-jail/testing`: a DragonFly kernel for unit tests, without a DragonFly machine and without privileges.
 *
 * @module
 */
export type { CheckedCall } from './calls/checks.js';
export type { DeviceLink } from './calls/devfs.js';
export type { ModelStat, WriteOptions } from './calls/files.js';
export type { InterfaceAddress } from './calls/interfaces.js';
export type { Waited } from './calls/lifecycle.js';
export type { MountRow } from './calls/mount.js';
export type { SysctlAnswer, SysctlRequest } from './calls/sysctl.js';
export type { OpenedPty } from './calls/terminals.js';
export type { ConnectionEnd, ConnectionState, Connections } from './connections.js';
export type { CallRecord, Fault, Faults } from './faults.js';
export { ModelKernel, type ModelKernelOptions } from './kernel.js';
export { KernelError, KernelHang } from './kernel-error.js';
export type { KernelThread } from './kinfo-encoder.js';
export { ModelProcess } from './model-process.js';
export type { Mount } from './mount-table.js';
export type { Endpoint, Family, ModelInterface, Network } from './network.js';
export type { Prison, PrisonAddress } from './prison.js';
export type { Clock } from './process-table.js';
export type { ChildOptions, Program, ProgramContext } from './program.js';
export type { ProgramTable } from './program-table.js';
export type { ProgramTerminal } from './terminal.js';
export { type ModelInUse, useModelKernel } from './use.js';
export type { KernelVersion } from './versions.js';
export type { VnodeKind } from './vnode.js';
