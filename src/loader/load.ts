import { accessSync, constants, statSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { dirname, join } from 'node:path';
import { JailError } from '../errors.js';
import type { LoadedNative, Native } from '../native.js';
import { packageFolder } from './package-folder.js';
import { hostTuple } from './tuple.js';

/** Overrides every other place. */
export const OVERRIDE = 'DRAGONFLY_JAIL_NATIVE';

const ADDON = 'jail.node';
const MONITOR = 'jail-monitor';

/** A folder in which the native part may be. */
export interface Place {
  readonly folder: string;
  /** Who puts it there. */
  readonly what: string;
}

/**
 * Where the native part is looked for, in this order: the folder (or the addon in it) that the environment variable
 * `DRAGONFLY_JAIL_NATIVE` names, and then nowhere else; what was compiled on this machine; what the package brought.
 *
 * @param root  the package's folder
 * @param tuple what is wanted: see {@link hostTuple}
 * @param env   the environment
 */
export function places(
  root: string,
  tuple: string,
  env: NodeJS.ProcessEnv = process.env,
): readonly Place[] {
  const override = env[OVERRIDE];
  if (override) {
    const folder = override.endsWith('.node') ? dirname(override) : override;
    return [{ folder, what: `named by ${OVERRIDE}` }];
  }
  return [
    { folder: join(root, 'build', 'Release'), what: 'compiled on this machine' },
    { folder: join(root, 'prebuilds', tuple), what: 'brought by the package' },
  ];
}

/**
 * Loads the addon, from the first place where it and the monitor are.
 *
 * @throws JailError `ERR_JAIL_NATIVE`, with every place, what was wrong there, and what to install
 */
export function loadFirst(candidates: readonly Place[], tuple: string): LoadedNative {
  const problems: string[] = [];
  for (const { folder, what } of candidates) {
    try {
      return loadFrom(folder);
    } catch (error) {
      problems.push(`  ${folder} (${what}): ${firstLine(error)}`);
    }
  }
  const message = `The native part of dragonfly-jail for ${tuple} could not be loaded. Looked in:\n${problems.join('\n')}`;
  throw new JailError('ERR_JAIL_NATIVE', message, { hint: remedy(systemType()) });
}

/** A place that was looked at. */
export interface InspectedPlace extends Place {
  /** What is wrong there; null: this is the one that is loaded. */
  readonly problem: string | null;
}

/** What {@link loadFirst} meets in each place, for those who have to explain it; nothing is thrown. */
export function inspectPlaces(candidates: readonly Place[]): readonly InspectedPlace[] {
  let found = false;
  return candidates.map((place) => {
    if (found) return { ...place, problem: 'not looked at: an earlier one was loaded' };
    const problem = problemOf(place);
    found = problem === null;
    return { ...place, problem };
  });
}

/** What {@link loadFirst} finds for this process. */
export function loadForHost(): LoadedNative {
  const tuple = hostTuple();
  return loadFirst(places(packageFolder(), tuple), tuple);
}

/** What to do where nothing fits. */
export function remedy(system: string): string {
  const rebuild = 'then run npm rebuild dragonfly-jail (in a checkout: npm run compile)';
  if (system === 'Linux') {
    return `install a C++17 compiler, make and python3 (apt-get install g++ make python3, or apk add g++ make python3 linux-headers), ${rebuild}`;
  }
  if (system === 'DragonFly')
    return `install gmake and python3 (pkg install gmake python3), ${rebuild}`;
  return 'jails can be made on DragonFly BSD and on Linux';
}

function problemOf({ folder }: Place): string | null {
  try {
    loadFrom(folder);
    return null;
  } catch (error) {
    return firstLine(error);
  }
}

function loadFrom(folder: string): LoadedNative {
  const addon = join(folder, ADDON);
  const monitor = join(folder, MONITOR);
  if (!isFile(addon)) throw new Error(`there is no ${ADDON}`);
  if (!isFile(monitor)) throw new Error(`there is no ${MONITOR}`);
  if (!isExecutable(monitor)) throw new Error(`${MONITOR} is not executable`);
  // Not require(): the first one of a program costs more than all the rest of loading.
  const module = { exports: {} as Native };
  process.dlopen(module, addon);
  return { native: module.exports, monitor };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

// BSDs let root pass access(2) whatever the mode; nobody can execute what has none of the three bits.
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return (statSync(path).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}
