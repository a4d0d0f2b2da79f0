import { type as systemType } from 'node:os';
import { dragonfly } from './dragonfly.js';
import { linux } from './linux.js';
import type { HostSystem } from './system.js';

export type { HostProcess, HostSystem } from './system.js';

/** The machine that the tests run on. */
export const system: HostSystem = systemType() === 'DragonFly' ? dragonfly : linux;

/** For programs that the tests start. */
export const systemUrl = import.meta.url;
