// Makes many jails, and takes the times of making and of listing on the way. Prints them as JSON.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { packageUrl } from '../lib/place.mjs';

const TIMES = 10;
const { Jail, listJails } = await import(packageUrl);
const spec = JSON.parse(process.argv[2]);
const most = Number(process.argv[3]);
const stations = [10, 50, 100, 200, 400, 600, 800, 1000].filter((count) => count <= most);
const jails = [];
const points = [];
const taken = [];

async function makeOne() {
  const start = performance.now();
  jails.push(await Jail.create(spec));
  taken.push(performance.now() - start);
}

function listTimes() {
  const times = [];
  for (let i = 0; i < TIMES; i++) {
    const start = performance.now();
    listJails();
    times.push(performance.now() - start);
  }
  return times;
}

function resident() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
}

// Of the monitors and anchors: memory that several share counts in parts.
function proportional() {
  const pids = execFileSync('pgrep', ['-x', 'jail-(monitor|anchor)'], { encoding: 'utf8' });
  let sum = 0;
  for (const pid of pids.trim().split('\n')) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    sum += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024;
  }
  return sum;
}

for (let i = 0; i < 10; i++) await makeOne();
listTimes();
const before = resident();
for (const station of stations) {
  while (jails.length < station) await makeOne();
  points.push({ jails: station, create: taken.slice(-TIMES), list: listTimes() });
}
const grown = resident() - before;
const pss = proportional();
const added = jails.length - 10;

// The first station once more, after the last: a machine may have become slower or faster meanwhile.
async function stopAllBut(count) {
  await Promise.all(jails.splice(count).map((jail) => jail.stop()));
}
await stopAllBut(points[0].jails);
for (let i = 0; i < TIMES; i++) {
  await stopAllBut(points[0].jails - 1);
  await makeOne();
}
points[0].create.push(...taken.slice(-TIMES));
await stopAllBut(0);
console.log(JSON.stringify({ points, rss: grown / added, pss: pss / (added + 10) }));
