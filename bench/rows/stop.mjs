// stop() until everything is gone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { LineProgram } from '../lib/helper.mjs';
import { inTurn, timeOf } from '../lib/pairs.mjs';
import { bareSpec } from '../lib/place.mjs';
import { also, compared } from '../lib/row.mjs';
import { quantile } from '../lib/statistics.mjs';

const MANY = 100;
// By then the kernel has ended the network of the jail before.
const LIVED_MS = 150;
const OVERLAP = 10; // so many times one jail's time for all of them
const FLOOR = 'C: kill, wait, delete';
// Its answer has to come to Node, and the process that holds a jail has to end.
const ASKED = 'Node asks a process in C';
const EACH_ASKED = 'Node asks one in C for each';
const BARS = [
  [FLOOR, 1.2],
  [ASKED, 1.2],
];

/** Without and with an address that the host reaches, as soon as made and later; and many at once. */
export async function run({ place, dfjail, quick }) {
  const program = new LineProgram(place.compile('stop-anchor'));
  try {
    const without = await beside(place, dfjail, program, {}, quick);
    const address = { addresses: ['10.92.0.1'] };
    const linked = await beside(place, dfjail, program, address, quick);
    const later = await beside(place, dfjail, program, address, quick, LIVED_MS);
    const all = [
      compared('stop, without addresses', without, BARS),
      compared('stop, with an address that the host reaches', linked, BARS),
      compared(`the same, of a jail that has been there for ${LIVED_MS} ms`, later, BARS),
      await together(place, dfjail, {}, without, quick),
      await together(place, dfjail, { addresses: true }, linked, quick),
    ];
    return all;
  } finally {
    await program.end();
  }
}

async function beside(place, { Jail }, program, more, quick, lived = 0) {
  const server = place.compile('stop-server');
  const make = async () => {
    const jail = await Jail.create(bareSpec(place, more));
    if (lived > 0) await setTimeout(lived);
    return jail;
  };
  const subjects = {
    ours: async () => {
      const jail = await make();
      return { ms: await timeOf(() => jail.stop()) };
    },
    [FLOOR]: async () =>
      byHand([await make()], async ([{ anchor, link }]) => ({
        ms: Number(await program.ask(`${anchor} ${link || '-'}`)) / 1000,
      })),
    [ASKED]: async () => byHand([await make()], (entries) => asked(server, entries)),
  };
  return inTurn(subjects, { rounds: quick ? 8 : 25, times: lived > 0 ? 1 : 3 });
}

// The monitors sleep meanwhile: they would want to do the same.
async function byHand(jails, end) {
  const gone = jails.map((jail) => new Promise((resolve) => jail.once('exit', resolve)));
  const entries = jails.map(entryOf);
  for (const { monitor } of entries) process.kill(Number(monitor), 'SIGSTOP');
  const taken = await end(entries);
  for (const { monitor } of entries) process.kill(Number(monitor), 'SIGCONT');
  await Promise.all(gone);
  return taken;
}

// A process for each jail. They are started before the time is taken, as the monitors are.
async function asked(server, entries) {
  const servers = entries.map(() => startServer(server));
  await Promise.all(servers.map(({ child }) => once(child, 'spawn')));
  await setTimeout(2 * servers.length);
  const ms = await timeOf(() => {
    for (const [i, { anchor, link, folder }] of entries.entries())
      servers[i].child.stdio[3].write(`${anchor} ${link || '-'} ${folder}`);
    return Promise.all(servers.map(({ over }) => over));
  });
  return { ms };
}

function startServer(server) {
  const child = spawn(server, [], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  return { child, over: Promise.all([once(child, 'exit'), once(child.stdio[3].resume(), 'end')]) };
}

function entryOf(jail) {
  const folder = join(process.env.DRAGONFLY_JAIL_STATE, 'jails', String(jail.jid));
  const lines = readFileSync(join(folder, 'entry'), 'utf8').split('\n');
  return { folder, ...Object.fromEntries(lines.map((line) => line.split(' '))) };
}

async function together(place, { Jail }, { addresses }, one, quick) {
  const count = quick ? 20 : MANY;
  const server = place.compile('stop-server');
  const make = () => createMany(Jail, place, count, addresses);
  const subjects = {
    ours: async () => {
      const jails = await make();
      return { ms: await timeOf(() => Promise.all(jails.map((jail) => jail.stop()))) };
    },
    [EACH_ASKED]: async () => byHand(await make(), (entries) => asked(server, entries)),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 1 : 5, times: 1 });
  const kind = addresses ? 'with an address that the host reaches' : 'without addresses';
  const row = compared(`stop of ${count} jails at once, ${kind}`, taken, [[EACH_ASKED, 1.2]]);
  const factor = quantile(taken.ours, 0.5) / quantile(one.ours, 0.5);
  return also(row, `≤ ${OVERLAP} × one`, factor, factor <= OVERLAP);
}

async function createMany(Jail, place, count, addresses) {
  const jails = [];
  for (let i = 1; i <= count; i++) {
    const more = addresses ? { addresses: [`10.92.1.${i}`] } : {};
    jails.push(await Jail.create(bareSpec(place, more)));
  }
  return jails;
}
