import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Jail } from 'dragonfly-jail';
import { placeProgram } from './compiled.js';
import { skip } from './environment.js';
import type { Jails } from './jails.js';

const FOLDER = 'hostile';
/** The program of test/security/programs, as the jails see it. */
export const ATTACK = `/${FOLDER}/attack`;
const PATIENCE = 20_000;

/** How an attempt ended: 'ok', or the name of the error; and everything that the program wrote. */
export interface Outcome {
  readonly result: string;
  readonly output: string;
}

/** What a jail answers to whom it refuses something; never that something is wrong with the question. */
export const REFUSED = /^(EPERM|EACCES|ENOSYS|EROFS|EPROTONOSUPPORT|ESRCH|ENOENT)$/;

/** Compiles the attacks into the root of a suite's jails; to be called in a hook. */
export function compileAttacks(context: Mocha.Context, jails: Jails): void {
  const folder = join(jails.root.path, FOLDER);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  placeProgram(context, 'attack', attackOutside(jails));
}

/** The same program, as the host sees it. */
export function attackOutside(jails: Jails): string {
  return join(jails.root.path, ATTACK);
}

/** Tries it in a jail. */
export async function inside(jail: Jail, ...args: string[]): Promise<Outcome> {
  const { stdout, stderr } = await jail.exec(ATTACK, args, { timeout: PATIENCE });
  return outcomeOf(args, String(stdout), String(stderr));
}

/** Tries it without any jail, with the rights of who runs the tests: the control. */
export function outside(jails: Jails, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { cwd: '/', timeout: PATIENCE };
    execFile(attackOutside(jails), args, options, (_, stdout, stderr) => {
      try {
        resolve(outcomeOf(args, stdout, stderr));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** The control of what only a root may: namespaces of its own, whose root it is, but no jail. */
export function inNamespaces(jails: Jails, ...args: string[]): Promise<Outcome> {
  return outside(jails, '--in-namespaces', ...args);
}

/** The control of what leads out of a directory: chroot(2) alone. */
export function inChroot(jails: Jails, ...args: string[]): Promise<Outcome> {
  return outside(jails, '--in-chroot', jails.root.path, ...args);
}

/** Makes sure that the attempt is one: it must work where there is no jail. */
export function assertWorks(outcome: Outcome): void {
  assert.equal(outcome.result, 'ok', `the control failed: ${outcome.output}`);
}

/** Makes sure that the jail refused it. */
export function assertRefused(outcome: Outcome, expected = REFUSED): void {
  assert.match(outcome.result, expected, outcome.output);
}

/** The control of what this machine, or this user, may not let anybody do: then there is nothing to show. */
export function needControl(context: Mocha.Context, outcome: Outcome, what: string): void {
  if (outcome.result === 'ok') return;
  skip(context, `${what} is not possible outside either here: ${outcome.result}`);
}

/** What a program of the attacks says in the end. */
export function outcomeOf(args: readonly string[], stdout: string, stderr = ''): Outcome {
  const number = /^result (\d+)$/m.exec(stdout)?.[1];
  assert(number !== undefined, `no result of ${args.join(' ')}: ${stdout}${stderr}`);
  const result = Number(number) === 0 ? 'ok' : errorName(Number(number));
  return { result, output: stdout };
}

function errorName(number: number): string {
  const known = Object.entries(constants.errno).find(([, value]) => value === number);
  return known?.[0] ?? `error ${number}`;
}
