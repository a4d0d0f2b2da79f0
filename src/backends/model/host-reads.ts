import type { KernelReads } from '../dragonfly/kernel-reads.js';
import { KernelError } from './kernel-error.js';
import type { Kernel } from './kernel-state.js';
import type { ModelProcess } from './model-process.js';

/** A model kernel as the code above the addon reads it, by one of its processes. */
export function readsBy(kernel: Kernel, process: () => ModelProcess): KernelReads {
  return {
    layout: kernel.layout,
    get: (name) => process().sysctl(name).bytes,
    getMib: (mib) => process().sysctlMib(mib).bytes,
    set: (name, value) => {
      process().sysctl(name, { value });
    },
    kill: (pid, signal) => {
      try {
        process().kill(pid, signal);
      } catch (error) {
        // It has ended meanwhile.
        if (!(error instanceof KernelError) || error.code !== 'ESRCH') throw error;
      }
    },
  };
}
