import { type JailArguments, packJail } from '../dragonfly/jail-struct.js';
import type { KernelLayout } from '../dragonfly/layout.js';
import type { ModelProcess } from './model-process.js';

/**
 * Puts a `struct jail` into a process's memory, as the native code has it on its stack.
 *
 * @returns the address to call jail(2) with
 */
export function mapJail(process: ModelProcess, spec: JailArguments, layout: KernelLayout): bigint {
  // Where it will lie is known only once it lies there: once for the size, and once in earnest.
  const room = new Uint8Array(packJail(spec, layout).bytes.length);
  const base = process.mapMemory(room);
  room.set(packJail(spec, layout, base).bytes);
  return base;
}
