// Fills the heap, then takes the times of the calls themselves: spawn() of a jail and of child_process in turn. Prints
// them as JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fillHeap } from '../lib/heap.mjs';
import { packageUrl } from '../lib/place.mjs';

const WARM = 50; // as in a program that runs on: what was called before was compiled by then
const ROUNDS = 40;
const [root, megabytes] = process.argv.slice(2);
const { Jail } = await import(packageUrl);
const keep = fillHeap(Number(megabytes));
const jail = await Jail.create({ path: root, hostname: 'bench' });
const silent = { stdio: 'ignore' };
const ours = [];
const theirs = [];

for (let i = 0; i < WARM; i++) await jail.spawn('/noop', [], silent).exited;
for (let i = 0; i < ROUNDS; i++) {
  for (let n = 0; n < 5; n++) {
    const start = performance.now();
    const command = jail.spawn('/noop', [], silent);
    ours.push(performance.now() - start);
    await command.exited;
  }
  const start = performance.now();
  const child = spawn(`${root}/noop`, [], silent);
  theirs.push(performance.now() - start);
  await once(child, 'close');
}
await jail.stop();
console.log(JSON.stringify({ ours, theirs, kept: keep.length }));
