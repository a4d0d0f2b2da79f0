// Fills the heap, then takes the times of the calls themselves: spawn() of a jail and of child_process in turn, and of a
// write to a process that sleeps. Prints them as JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fillHeap } from '../lib/heap.mjs';
import { ForkServer } from '../lib/helper.mjs';
import { packageUrl } from '../lib/place.mjs';

const WARM = 50; // as in a program that runs on: what was called before was compiled by then
const ROUNDS = 40;
const [root, megabytes, serverFile] = process.argv.slice(2);
const { Jail } = await import(packageUrl);
const keep = fillHeap(Number(megabytes));
const jail = await Jail.create({ path: root, hostname: 'bench' });
const silent = { stdio: 'ignore' };
const server = new ForkServer(serverFile, `${root}/noop`);
const ours = [];
const theirs = [];
const floor = [];

for (let i = 0; i < WARM; i++) {
  await jail.spawn('/noop', [], silent).exited;
  await server.run();
}
for (let i = 0; i < ROUNDS; i++) {
  for (let n = 0; n < 5; n++) {
    const start = performance.now();
    const command = jail.spawn('/noop', [], silent);
    ours.push(performance.now() - start);
    await command.exited;
    const before = performance.now();
    const answered = server.run();
    floor.push(performance.now() - before);
    await answered;
  }
  const start = performance.now();
  const child = spawn(`${root}/noop`, [], silent);
  theirs.push(performance.now() - start);
  await once(child, 'close');
}
await jail.stop();
await server.end();
console.log(JSON.stringify({ ours, theirs, floor, kept: keep.length }));
