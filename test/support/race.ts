import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Jail } from 'dragonfly-jail';
import { ATTACK } from './attack.js';

/** A program of the jail that does one thing over and over, as fast as it can. */
export interface Race {
  stop(): Promise<void>;
}

/**
 * Starts an attempt that goes on by itself, and waits until it does.
 *
 * @param jail where
 * @param args of the attacking program; it says what it is doing first
 */
export async function startRace(jail: Jail, args: readonly string[]): Promise<Race> {
  const racer = jail.spawn(ATTACK, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  assert(racer.stdout !== null);
  const [word] = await once(racer.stdout, 'data');
  assert.match(String(word), /ing/);
  racer.stdout.resume();
  const stop = async () => {
    racer.kill('SIGKILL');
    await racer.exited;
  };
  return { stop };
}

/** When so many seconds from now are over, on the clock of performance.now(). */
export function deadline(seconds: number): number {
  return performance.now() + seconds * 1000;
}
