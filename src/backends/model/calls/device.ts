import type { Kernel } from '../kernel-state.js';
import type { ProcessEntry } from '../process.js';
import type { Vnode } from '../vnode.js';
import { assertHostRoot } from './privilege.js';

/** Devices whose drivers look at who opens them; permissions alone decide over all others, the memory's included. */
const OPENED: Readonly<Record<string, (kernel: Kernel, process: ProcessEntry) => void>> = {
  io: assertHostRoot,
  bpf: (kernel, { credential }) => {
    if (credential.prison !== null) throw kernel.error('EPERM');
  },
};

/** What a driver says of its device being opened. @throws KernelError EPERM */
export function assertOpens(kernel: Kernel, process: ProcessEntry, { kind, name }: Vnode): void {
  if (kind === 'device') OPENED[name]?.(kernel, process);
}
