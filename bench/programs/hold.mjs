// Fills the heap, then takes in turn how long spawn() of a jail and of child_process, for jexec(8), hold the event loop.
// Prints the times as JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fillHeap } from '../lib/heap.mjs';
import { packageUrl } from '../lib/place.mjs';

const WARM = 200;
const ROUNDS = 40;
const [root, megabytes] = process.argv.slice(2);
const { Jail } = await import(packageUrl);
const keep = fillHeap(Number(megabytes));
const silent = { stdio: 'ignore' };
const taken = { ours: [], theirs: [] };
const jail = await Jail.create({ path: root, hostname: 'bench' });

async function jailed(times) {
  const start = performance.now();
  const command = jail.spawn('/noop', [], silent);
  times.push(performance.now() - start);
  await command.exited;
}

async function forked(times) {
  const start = performance.now();
  const child = spawn('jexec', [String(jail.jid), '/noop'], silent);
  times.push(performance.now() - start);
  await once(child, 'close');
}

for (let i = 0; i < WARM; i++) await jailed([]);
await forked([]);
for (let round = 0; round < ROUNDS; round++) {
  await forked(taken.theirs);
  // What comes after a fork writes to pages that it has to copy: not the first one counts.
  await jailed([]);
  for (let n = 0; n < 3; n++) await jailed(taken.ours);
}
await jail.stop();
console.log(JSON.stringify({ ...taken, kept: keep.length }));
