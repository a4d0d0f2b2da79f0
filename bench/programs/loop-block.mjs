// Fills the heap, then takes the times of the calls themselves: spawn() of a jail and of child_process in turn, and of a
// write of the same command's text to a process that sleeps. Prints them as JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fillHeap } from '../lib/heap.mjs';
import { ForkServer } from '../lib/helper.mjs';
import { packageUrl } from '../lib/place.mjs';

const EARLY = 50; // V8 interprets what was called no more often than that
const WARM = 3000; // and has compiled this, as in a program that runs on
// Its only variable, as spawn() gives it.
const PATH =
  'PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/pkg/sbin:/usr/pkg/bin';
const PLACES = 4;
const ROUNDS = 15;
const [root, megabytes, serverFile] = process.argv.slice(2);
const { Jail } = await import(packageUrl);
const keep = fillHeap(Number(megabytes));
const silent = { stdio: 'ignore' };
const taken = { early: [], ours: [], theirs: [], floor: [] };
let jail;
let server;

async function begin() {
  jail = await Jail.create({ path: root, hostname: 'bench' });
  server = new ForkServer(serverFile, `${root}/noop`);
}

async function end() {
  await jail.stop();
  await server.end();
}

async function jailed(times) {
  const start = performance.now();
  const command = jail.spawn('/noop', [], silent);
  times.push(performance.now() - start);
  await command.exited;
}

async function asked(times) {
  const start = performance.now();
  const answered = server.run(`${['/noop', '/noop', PATH].join('\0')}\n`);
  times.push(performance.now() - start);
  await answered;
}

async function forked(times) {
  const start = performance.now();
  const child = spawn(`${root}/noop`, [], silent);
  times.push(performance.now() - start);
  await once(child, 'close');
}

async function warmUp() {
  for (let i = 0; i < EARLY; i++) {
    await jailed(taken.early);
    await asked([]);
  }
  const others = Array.from({ length: 8 }, async () => {
    for (let i = EARLY; i < WARM; i += 8) await jailed([]);
  });
  for (let i = EARLY; i < WARM; i++) await asked([]);
  await Promise.all(others);
}

async function measure() {
  for (let round = 0; round < ROUNDS; round++) {
    await forked(taken.theirs);
    // What comes after a fork writes to pages that it has to copy: each of the two in turn.
    const pair = [() => jailed(taken.ours), () => asked(taken.floor)];
    if (round % 2 === 1) pair.reverse();
    for (let n = 0; n < 5; n++) for (const turn of pair) await turn();
  }
}

await begin();
await warmUp();
await measure();
// Where the scheduler has put the process that is asked makes more of a difference than a heap.
for (let place = 1; place < PLACES; place++) {
  await end();
  await begin();
  await measure();
}
await end();
console.log(JSON.stringify({ ...taken, kept: keep.length }));
