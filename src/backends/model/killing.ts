import { setTimeout as delay } from 'node:timers/promises';
import type { KernelReads } from '../dragonfly/kernel-reads.js';
import { layout59 } from '../dragonfly/layout-5.9.js';
import { readProcesses, signalJail } from '../dragonfly/listing.js';
import { isTraced } from './calls/tracing.js';
import { KernelError } from './kernel-error.js';
import type { Kernel } from './kernel-state.js';
import type { ModelProcess } from './model-process.js';
import { inChild } from './monitor.js';
import { during, systemError } from './translate.js';

const { SIGKILL = 9 } = layout59.signals;
const ZOMBIE = 4;
const ROUNDS = 50;
const POLL_MS = 5;

/** How many processes of a jail live. @throws JailSystemError step `kill` */
export function countLiving(reads: KernelReads, jid: number): number {
  return during({ step: 'kill', syscall: 'sysctl', jid }, () =>
    readProcesses(reads).filter((process) => process.jid === jid && process.state !== ZOMBIE),
  ).length;
}

/** Signals everything in a jail at once: from inside, where it reaches nobody else. @throws JailSystemError step `signal` */
export function signalInside(monitor: ModelProcess, jid: number, signal: number): void {
  inChild(monitor, 'signal', (child) => {
    const where = (syscall: string) => ({ step: 'signal', syscall, jid });
    during(where('closefrom'), () => child.closeFrom(0));
    during(where('jail_attach'), () => child.jailAttach(jid));
    during(where('kill'), () => {
      try {
        child.kill(-1, signal);
      } catch (error) {
        if (!(error instanceof KernelError) || error.code !== 'ESRCH') throw error; // nobody there
      }
    });
  });
}

/** Kills everything in a jail, and looks again until nobody is left. @throws JailSystemError step `kill` */
export function killAll(
  kernel: Kernel,
  monitor: ModelProcess,
  reads: KernelReads,
  jid: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    if (countLiving(reads, jid) === 0) return;
    try {
      signalInside(monitor, jid, SIGKILL);
    } catch {
      // Then one by one, from the host.
      during({ step: 'kill', syscall: 'kill', jid }, () => signalJail(reads, jid, SIGKILL));
    }
  }
  const error = systemError(monitor.error('EBUSY'), { step: 'kill', syscall: 'kill', jid });
  throw Object.assign(error, { hint: whoIsLeft(kernel, jid) });
}

// A killed process whose end nobody sees.
function whoIsLeft(kernel: Kernel, jid: number): string {
  const left = kernel.processes.all.find((process) => process.jid === jid && !process.isZombie);
  if (left === undefined) return 'processes come as fast as they are killed';
  const told = `Process ${left.pid} was killed but has not ended`;
  if (!isTraced(left)) return `${told}: it waits in the kernel.`;
  return `${told}, since process ${left.parent?.pid} of the host traces it: end that one, or have it let go.`;
}

/** Waits for something to come true. @returns whether it did, in time */
export async function waitUntil(isTrue: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!isTrue()) {
    if (performance.now() >= end) return false;
    await delay(Math.min(POLL_MS, ms));
  }
  return true;
}
