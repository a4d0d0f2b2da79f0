import { setTimeout as sleep } from 'node:timers/promises';
import { JailError } from '../errors.js';
import type { Jail } from '../jail.js';
import type { ResolvedReadiness } from './definition.js';
import type { Log } from './log.js';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/**
 * Hears of the lines that a service writes; to be made before the service can write any.
 *
 * @param signal ends the listening
 * @returns a promise of the wanted one, which is never fulfilled when no line is wanted; and what ends the listening
 */
export function expectLine(
  log: Log,
  ready: ResolvedReadiness | null,
  signal: AbortSignal,
): { found: Promise<void>; forget: () => void } {
  const line = ready?.line ?? null;
  if (line === null) return { found: new Promise(() => {}), forget: () => {} };
  const { promise: found, resolve } = withResolver();
  const stop = log.listen(({ text }) => {
    if (line.test(text)) resolve();
  });
  const forget = () => {
    stop();
    signal.removeEventListener('abort', forget);
  };
  signal.addEventListener('abort', forget);
  void found.then(forget);
  return { found, forget };
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/**
 * Waits until a service is ready.
 *
 * @param ready  what makes it so
 * @param jail   its jail
 * @param line   fulfilled when the wanted line came
 * @param signal ends the waiting
 * @throws JailError `ERR_JAIL_NOT_READY`: it took too long; AbortError
 */
export async function waitUntilReady(
  ready: ResolvedReadiness,
  jail: Jail,
  line: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(ready.timeoutMs);
  const done = new AbortController();
  const over = AbortSignal.any([signal, late, done.signal]);
  try {
    await Promise.race([line, poll(ready, jail, over), aborted(over)]);
  } catch (error) {
    if (late.aborted && !signal.aborted) throw notReady(ready);
    throw error;
  } finally {
    done.abort();
  }
}

async function poll(
  { port, file }: ResolvedReadiness,
  jail: Jail,
  signal: AbortSignal,
): Promise<void> {
  if (port === null && file === null) return aborted(signal);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (port !== null && (await jail.isListening(port))) return;
    if (file !== null && (await jail.hasFile(file))) return;
    await sleep(pause, undefined, { signal });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function notReady({ port, file, line, timeoutMs }: ResolvedReadiness): JailError {
  const wanted = [
    port === null ? '' : `port ${port}`,
    file === null ? '' : `file ${file}`,
    line === null ? '' : `line ${line}`,
  ].filter((text) => text !== '');
  const message = `It was not ready after ${timeoutMs} ms: no ${wanted.join(', no ')}`;
  const hint = 'look at what it wrote, or raise ready.timeoutMs';
  return new JailError('ERR_JAIL_NOT_READY', message, { hint });
}
