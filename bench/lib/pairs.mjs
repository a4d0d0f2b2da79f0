// Takes the times of several ways to do the same thing, in turn, so that whatever else the machine does meets them all.
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { quantile } from './statistics.mjs';

/**
 * @param subjects what to measure by name: functions, asynchronous or not, that do it once; one that has something to
 *   make ready or to clear away returns the time itself, as `{ ms }`
 * @param options.rounds how often each of them has its turn
 * @param options.times  how often it is done in one turn; the median of a turn counts
 * @param options.rest   ms before each turn, in which the kernel clears away what the one before has left
 * @returns the times by name in ms, one for each round
 */
export async function inTurn(subjects, { rounds = 15, times = 10, rest = 0 } = {}) {
  const names = Object.keys(subjects);
  const taken = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await turn(subjects[name], Math.min(times, 3)); // warm, not counted
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(names, round)) {
      if (rest > 0) await setTimeout(rest);
      taken[name].push(await turn(subjects[name], times));
    }
  }
  return taken;
}

// Nobody always comes after the same one.
function rotated(names, by) {
  const at = by % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}

async function turn(subject, times) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    const measured = await subject();
    taken.push(measured?.ms ?? performance.now() - start);
  }
  return quantile(taken, 0.5);
}

/** The time of one thing, in ms. */
export async function timeOf(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
