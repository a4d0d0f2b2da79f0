import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Is this the root of the machine? What a jail can do for its network differs by that. */
export const isRoot = process.getuid?.() === 0 || process.env.DFJAIL_TEST_BACKEND === 'model';

/** Do the tests run on a model of the DragonFly kernel, whoever runs them? See support/model. */
export const onModel = process.env.DFJAIL_TEST_BACKEND === 'model';

/** Do they run on DragonFly itself? */
export const onRealDragonfly = !onModel && systemType() === 'DragonFly';

if (process.env.DFJAIL_TEST_BACKEND === 'dragonfly' && !onRealDragonfly) {
  throw new Error(`DFJAIL_TEST_BACKEND=dragonfly: this is ${systemType()}`);
}

/** Are the jails DragonFly's, those of its kernel or of the model of it? What they promise differs from Linux in places. */
export const onDragonfly = onModel || onRealDragonfly;

// DragonFly runs on emulated processors as often as not: Node takes seconds to start there.
const slowness = Number(process.env.DFJAIL_TEST_SLOWNESS ?? (onRealDragonfly ? 5 : 1));

/** How long to wait on this machine for what takes so many milliseconds at most on others. */
export function patience(milliseconds: number): number {
  return milliseconds * slowness;
}

/** The program that runs the tests; the roots of the tests have it at the same path. */
export const nodePath = realpathSync(process.execPath);

/** Where copies and children of the test find the package. */
export const packageUrl = import.meta.resolve('dragonfly-jail');
export const rcUrl = import.meta.resolve('dragonfly-jail/rc');
export const rootfsUrl = import.meta.resolve('dragonfly-jail/rootfs');
export const supervisorUrl = import.meta.resolve('dragonfly-jail/supervisor');

/** Ends the test, or all tests of a hook, as skipped. The reporter of `npm test` shows the reason. */
export function skip(context: Mocha.Context, reason: string): never {
  const runnable = context.runnable();
  // A hook's context is that of all its tests; a test's is shared with the others, to which the reason does not apply.
  const isHook = Reflect.get(runnable, 'type') === 'hook';
  Object.assign(isHook ? context : runnable, { skipReason: reason });
  return context.skip();
}

/** For what the model of the DragonFly kernel has not. */
export function skipOnModel(context: Mocha.Context, reason: string): void {
  if (onModel) skip(context, `on the model: ${reason}`);
}

/** For what only Linux has: /proc, namespaces, the numbers of its calls. The reason says what keeps the promise there. */
export function skipOnDragonfly(context: Mocha.Context, reason: string): void {
  if (onDragonfly) skip(context, `on DragonFly: ${reason}`);
}

/** For what DragonFly's own kernel does and neither Linux nor the model. */
export function needDragonfly(context: Mocha.Context): void {
  if (!onRealDragonfly) skip(context, 'is about the kernel of DragonFly');
}

let running: Mocha.Test | undefined;

/** Which test runs now, for those who have no context. See support/model/world. */
export function rememberTest(test: Mocha.Test | undefined): void {
  running = test;
}

/** The same: a model is known to one thread of one program only. */
export function onlyInThisProgram(what: string): void {
  skipRunning(`the model is in this thread alone, and this needs ${what}`);
}

/** Ends the running test as skipped if it is one on the model. */
export function skipRunning(reason: string): void {
  if (running?.ctx) skipOnModel(running.ctx, reason);
}

/** For what only the machine's root can have. */
export function needRoot(context: Mocha.Context): void {
  if (!isRoot) skip(context, 'needs root');
}

/** For what is different when the caller has one user id only. */
export function needRootless(context: Mocha.Context): void {
  if (isRoot) skip(context, 'is about callers who are not root');
}

/** Waits until the check passes; its last failure is reported when the time is over. */
export async function eventually(
  check: () => void | Promise<void>,
  milliseconds = 3000,
): Promise<void> {
  const end = performance.now() + patience(milliseconds);
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await sleep(20);
  }
}

/** The promise's value, or a failure that says what did not come in time. */
export async function within<T>(
  what: string,
  milliseconds: number,
  promise: Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const most = patience(milliseconds);
  const late = sleep(most, undefined, { signal: timer.signal }).then(() =>
    assert.fail(`${what} took more than ${most} ms`),
  );
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** The middle one of some measurements. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export { sleep };
