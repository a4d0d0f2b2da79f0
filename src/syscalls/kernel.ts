import { type as systemType } from 'node:os';
import type { DragonflyNative } from '../backends/dragonfly/native-reads.js';
import { isDragonflyNative } from '../backends/dragonfly/native-reads.js';
import { JailError, unsupported } from '../errors.js';
import { loadNative, nativeFailure } from '../native.js';

/** A node of the sysctl tree, as the addon tells it. */
export interface RawSysctlNode {
  readonly name: string;
  readonly mib: readonly number[];
  /** Type and flags: see sysctl-value.ts. */
  readonly kind: number;
  /** As the kernel describes it: `I`, `A`, `S,proc`, … */
  readonly format: string;
  /** Often empty. */
  readonly description: string;
}

/** What the addon has on DragonFly. Failures are errors with `code`, negative `errno` and `syscall`. */
export interface SyscallsNative extends Omit<DragonflyNative, 'sysctlSet'> {
  /**
   * jail(2) of this process.
   *
   * @param image    `struct jail` and what it points to; pointers are offsets into it
   * @param pointers where in it the pointers are
   */
  jail(image: Uint8Array, pointers: readonly number[]): number;
  /** jail_attach(2) of this process. */
  jailAttach(jid: number): void;
  sysctlSet(id: string | readonly number[], value: Uint8Array): void;
  sysctlNode(id: string | readonly number[]): RawSysctlNode;
  /** Every node below one, or the whole tree. */
  sysctlList(id?: string | readonly number[]): RawSysctlNode[];
}

let standIn: SyscallsNative | null = null;

/**
 * Puts something else in the place of the kernel, for tests.
 *
 * @returns puts back what was there before
 */
export function overrideKernel(native: SyscallsNative): () => void {
  const before = standIn;
  standIn = native;
  return () => {
    standIn = before;
  };
}

/**
 * Calls the kernel; its failures become errors of this package.
 *
 * @param what the call, as the start of a sentence: `jail(2)`
 * @param call what to do with the addon
 * @param details what the addon could not know
 * @throws JailError `ERR_JAIL_UNSUPPORTED`: not DragonFly; `ERR_JAIL_NATIVE`: no addon
 * @throws JailSystemError whatever the kernel said
 */
export function callKernel<T>(
  what: string,
  call: (native: SyscallsNative) => T,
  details: { path?: string; jid?: number } = {},
): T {
  const native = standIn ?? systemKernel(what);
  try {
    return call(native);
  } catch (error) {
    throw nativeFailure(error, details);
  }
}

function systemKernel(what: string): SyscallsNative {
  const system = systemType();
  if (system !== 'DragonFly') {
    const hint = 'Jail.create() of dragonfly-jail makes jails on Linux too';
    throw unsupported(what, `it is a call of DragonFly BSD, and this is ${system}`, hint);
  }
  const { native } = loadNative();
  if (hasSyscalls(native)) return native;
  const hint = 'run npm rebuild dragonfly-jail';
  throw new JailError('ERR_JAIL_NATIVE', 'The addon was not compiled for DragonFly', { hint });
}

function hasSyscalls(native: object): native is SyscallsNative {
  const names = ['jail', 'jailAttach', 'sysctlNode', 'sysctlList'];
  const isThere = (name: string) => typeof Reflect.get(native, name) === 'function';
  return isDragonflyNative(native) && names.every(isThere);
}
