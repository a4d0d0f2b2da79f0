// Listing processes: one jail's, and the whole host's.
import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { LineProgram } from '../lib/helper.mjs';
import { inTurn, timeOf } from '../lib/pairs.mjs';
import { bareSpec } from '../lib/place.mjs';
import { readProcesses } from '../lib/proc.mjs';
import { also, compared } from '../lib/row.mjs';
import { quantile, ratio } from '../lib/statistics.mjs';

const ON_HOST = 400;
const IN_JAIL = 20;
const AT_ONCE = 5; // calls, of which the middle one counts
const SAME_FOR_MS = 510;
const C_JAIL = 'C reader, same pids';
const C_HOST = 'C reader';
const C_LEAST = 'the least in C, with threads';

/** With so many processes asleep on the host, some of them in a jail. */
export async function run({ place, dfjail, quick }) {
  const jail = await dfjail.Jail.create(bareSpec(place));
  const crowd = spawn(place.sleeper, [String(ON_HOST - IN_JAIL)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const inmates = jail.spawn('/sleeper', [String(IN_JAIL - 1)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const reader = new LineProgram(place.compile('proc-reader', ['-pthread']));
  try {
    await Promise.all([firstByte(crowd), firstByte(inmates)]);
    return [await ofJail(jail, reader, quick), await ofHost(dfjail, reader, quick)];
  } finally {
    crowd.stdin.end();
    await reader.end();
    await jail.stop();
  }
}

function firstByte(child) {
  return new Promise((resolve) => child.stdout.once('data', resolve));
}

async function ofJail(jail, reader, quick) {
  const pids = jail.processes().map(({ pid }) => pid);
  const others = await rivals(process.pid);
  const subjects = {
    ours: () => middle(AT_ONCE, () => jail.processes()),
    [C_JAIL]: () => inC(reader, pids.join(' ')),
    'JavaScript, same pids': () => middle(AT_ONCE, () => readProcesses(pids)),
    ...others,
  };
  const taken = await inTurn(subjects, turns(quick));
  const row = compared(
    `processes of one jail: ${pids.length} among ${ON_HOST} on the host`,
    taken,
    [[C_JAIL, 1.2]],
  );
  const faster = ratio(taken['ps-list'], taken.ours);
  return also(row, '≥ 20 × faster than ps-list', faster, faster >= 20);
}

async function ofHost({ listProcesses }, reader, quick) {
  const others = await rivals(-1);
  const subjects = {
    ours: () => middle(AT_ONCE, () => listProcesses()),
    [C_HOST]: () => inC(reader, '*'),
    [C_LEAST]: () => inC(reader, '!'),
    JavaScript: () => middle(AT_ONCE, () => readProcesses(null)),
    ...others,
  };
  const taken = await inTurn(subjects, turns(quick));
  const count = listProcesses().length;
  const row = compared(`processes of the whole host: ${count}`, taken, [
    [C_HOST, 1.3],
    [C_LEAST, 1.2],
  ]);
  const faster = ratio(taken['ps-list'], taken.ours);
  return also(row, '≥ 8 × faster than ps-list', faster, faster >= 8);
}

// Some of the rivals start hundreds of processes, whose remains take the kernel a while.
const turns = (quick) => ({ rounds: quick ? 8 : 25, times: 1, rest: 50 });

async function middle(times, call) {
  const taken = [];
  for (let i = 0; i < times; i++) taken.push(await timeOf(call));
  return { ms: quantile(taken, 0.5) };
}

async function inC(reader, pids) {
  const taken = [];
  for (let i = 0; i < AT_ONCE; i++)
    taken.push(Number((await reader.ask(pids)).split(' ')[1]) / 1000);
  return { ms: quantile(taken, 0.5) };
}

// As their documents show them.
async function rivals(root) {
  const { default: psList } = await import('ps-list');
  const { default: pidtree } = await import('pidtree');
  const { default: information } = await import('systeminformation');
  return {
    'ps-list': () => middle(AT_ONCE, () => psList()),
    pidtree: () => middle(AT_ONCE, () => pidtree(root)),
    systeminformation: () => fresh(() => information.processes()),
  };
}

// It gives what it has found before again for half a second.
async function fresh(call) {
  await setTimeout(SAME_FOR_MS);
  return { ms: await timeOf(call) };
}
