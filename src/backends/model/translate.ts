import { getSystemErrorMap } from 'node:util';
import { JailSystemError } from '../../errors.js';
import { signalName } from '../../signals.js';
import { layout59 } from '../dragonfly/layout-5.9.js';
import { KernelError } from './kernel-error.js';

/** Where an error of the model happened. */
export interface Circumstances {
  readonly step: string;
  readonly syscall: string;
  readonly path?: string | undefined;
  readonly jid?: number | undefined;
}

/** An error of a model kernel as one of this package's: by name, since its numbers are not this machine's. */
export function systemError(error: unknown, where: Circumstances): Error {
  if (!(error instanceof KernelError))
    return error instanceof Error ? error : new Error(String(error));
  const { code, errno } = error;
  return new JailSystemError({ ...where, errno, code, description: description(code) });
}

/** Makes a call of the model; its errors become those of this package. */
export function during<T>(where: Circumstances, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw systemError(error, where);
  }
}

function description(code: string): string {
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return 'unknown error';
}

/** A signal of this machine as DragonFly numbers it; one that it has not, unchanged. */
export function kernelSignal(number: number): number {
  const name = signalName(number);
  return (name === null ? undefined : layout59.signals[name]) ?? number;
}

const names = new Map<number, string>();
for (const [name, number] of Object.entries(layout59.signals)) {
  if (!names.has(number)) names.set(number, name);
}

/** The name of a signal of DragonFly's. */
export function kernelSignalName(number: number): NodeJS.Signals {
  return (names.get(number) ?? `SIG${number}`) as NodeJS.Signals;
}
