// spawn() in a running jail until `exited` resolves.
import { execFileSync, spawn } from 'node:child_process';
import { fillHeap } from '../lib/heap.mjs';
import { ForkServer, isInstalled, runChild } from '../lib/helper.mjs';
import { inTurn } from '../lib/pairs.mjs';
import { bareSpec } from '../lib/place.mjs';
import { also, compared } from '../lib/row.mjs';
import { ratio } from '../lib/statistics.mjs';

const MEGABYTES = 50;
const SPAWNS = 1000;
const IN_FLIGHT = 8;
// The floor of a design in which somebody else than Node forks does not enter a jail: this one does.
const JAILED = 'socket + C into the jail';

/** Of a program that does nothing, with stdio ignored and with three pipes; and 1,000 with 8 in flight. */
export async function run({ place, dfjail, quick }) {
  const keep = fillHeap(MEGABYTES);
  const jail = await dfjail.Jail.create(bareSpec(place));
  const servers = {
    'socket + C vfork': new ForkServer(place.compile('vfork-server'), place.noop),
    [JAILED]: new ForkServer(place.compile('jail-server'), anchorOf(jail), '/noop'),
  };
  try {
    const rows = [
      await silent(place, jail, servers, quick),
      await piped(place, jail, quick),
      await many(place, jail, quick),
    ];
    if (keep.length === 0) throw new Error('the heap is empty');
    return rows;
  } finally {
    for (const server of Object.values(servers)) await server.end();
    await jail.stop();
  }
}

async function silent(place, jail, servers, quick) {
  const subjects = {
    ours: () => jail.spawn('/noop', [], { stdio: 'ignore' }).exited,
    'child_process.spawn': () => runChild(place.noop, []),
  };
  for (const [name, server] of Object.entries(servers)) subjects[name] = () => server.run();
  if (await isInstalled('nsenter')) subjects.nsenter = nsenter(jail);
  const taken = await inTurn(subjects, { rounds: quick ? 10 : 40, times: 10 });
  const bars = [
    ['socket + C vfork', 1.3],
    [JAILED, 1.2],
    ['child_process.spawn', 0.5],
    ['nsenter', 1],
  ];
  return compared('spawn → exited, stdio ignored, 50 MB heap', taken, bars);
}

// Into the same namespaces; it neither drops privileges nor filters system calls.
function nsenter(jail) {
  const anchor = anchorOf(jail);
  const args = ['-t', anchor, '-m', '-u', '-i', '-n', '-p', '-r', '/noop'];
  return () => runChild('nsenter', args);
}

function anchorOf(jail) {
  const pids = execFileSync('pgrep', ['-x', 'jail-anchor'], { encoding: 'utf8' })
    .trim()
    .split('\n');
  if (pids.length === 0) throw new Error(`jail ${jail.jid} has no anchor`);
  return pids.at(-1);
}

async function piped(place, jail, quick) {
  const pipes = { stdio: ['pipe', 'pipe', 'pipe'] };
  const subjects = {
    ours: () => closed(jail.spawn('/noop', [], pipes)),
    'child_process.spawn': () => closed(spawn(place.noop, [], pipes)),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 10 : 40, times: 10 });
  return compared('spawn → close, three pipes, 50 MB heap', taken, [['child_process.spawn', 0.8]]);
}

function closed(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}

async function many(place, jail, quick) {
  const count = quick ? 200 : SPAWNS;
  const subjects = {
    ours: () => inFlight(count, () => jail.spawn('/noop', [], { stdio: 'ignore' }).exited),
    'child_process.spawn': () => inFlight(count, () => runChild(place.noop, [])),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 3 : 7, times: 1 });
  const row = compared(`${count} spawns, ${IN_FLIGHT} in flight`, taken, []);
  const faster = ratio(taken['child_process.spawn'], taken.ours);
  return also(row, 'throughput ≥ 1.5 × child_process.spawn', faster, faster >= 1.5);
}

async function inFlight(count, start) {
  let left = count;
  const one = async () => {
    while (left-- > 0) await start();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}
