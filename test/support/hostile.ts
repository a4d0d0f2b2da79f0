import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Jail } from 'dragonfly-jail';
import { placeProgram } from './compiled.js';
import { onRealDragonfly, skipRunning } from './environment.js';
import { canTry, hostile } from './model/hostile.js';
import { modelKernel } from './model/world.js';
import type { TestRoot } from './roots.js';

const FOLDER = 'hostile';
const PROGRAM = `/${FOLDER}/try`;

/**
 * Compiles the program that tries what a jail must not allow into a suite's root. The test or hook is skipped where
 * there is no C compiler.
 */
export function compileHostile(context: Mocha.Context, root: TestRoot): void {
  const kernel = modelKernel();
  if (kernel !== null) {
    kernel.programs.add(PROGRAM, hostile);
    return;
  }
  const folder = join(root.path, FOLDER);
  const program = join(root.path, PROGRAM);
  if (existsSync(program)) return;
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  placeProgram(context, 'try', program);
}

// What test/behaviour/programs/dragonfly can try.
const ON_DRAGONFLY = new Set(
  'bind add sendfrom socket setuid sethostname kill open write mount bindmount remount umount escape handle device shm inject'.split(
    ' ',
  ),
);

/**
 * Tries one thing in the jail.
 *
 * @returns 'ok' when it was allowed, else the name of the error
 */
export async function attempt(jail: Jail, ...args: string[]): Promise<string> {
  const [what = ''] = args;
  if (!canTry(what)) skipRunning(`${what} is about Linux`);
  assert(!onRealDragonfly || ON_DRAGONFLY.has(what), `${what} is about Linux`);
  const result = await jail.exec(PROGRAM, args, { timeout: 10_000 });
  const number = /^result (\d+)$/m.exec(String(result.stdout))?.[1];
  assert(number !== undefined, `no result of ${args.join(' ')}: ${JSON.stringify(result)}`);
  return Number(number) === 0 ? 'ok' : errorName(Number(number));
}

function errorName(number: number): string {
  const known = Object.entries(constants.errno).find(([, value]) => value === number);
  return known?.[0] ?? `error ${number}`;
}
