import type { Target } from '../target.js';
import { elf } from './elf.js';
import { fstab } from './fstab.js';
import { jailList } from './jail-list.js';
import { kinfoProc } from './kinfo-proc.js';
import { monitorAnswers } from './monitor-answers.js';

/** All targets that are written in TypeScript; the others are in test/native/fuzz. */
export const targets: readonly Target[] = [jailList, kinfoProc, elf, fstab, monitorAnswers];

/** The one of that name. */
export function targetOf(name: string): Target {
  const target = targets.find((one) => one.name === name);
  if (target) return target;
  throw new Error(`${name}: one of ${targets.map((one) => one.name).join(', ')}`);
}
