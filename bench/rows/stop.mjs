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
const OVERLAP = 10; // so many times one jail's time for all of them
const FLOOR = 'C: kill, wait, delete';
// Its answer has to come to Node, and the process that holds a jail has to end.
const ASKED = 'Node asks a process in C';
const BARS = [
  [FLOOR, 1.2],
  [ASKED, 1.2],
];

/** Without and with an address that the host reaches; and many at once. */
export async function run({ place, dfjail, quick }) {
  const program = new LineProgram(place.compile('stop-anchor'));
  try {
    const without = await beside(place, dfjail, program, {}, quick);
    const linked = await beside(place, dfjail, program, { addresses: ['10.92.0.1'] }, quick);
    const all = [
      compared('stop, without addresses', without, BARS),
      compared('stop, with an address that the host reaches', linked, BARS),
      await together(place, dfjail, {}, without, quick),
      await together(place, dfjail, { addresses: true }, linked, quick),
    ];
    return all;
  } finally {
    await program.end();
  }
}

async function beside(place, { Jail }, program, more, quick) {
  const server = place.compile('stop-server');
  const subjects = {
    ours: async () => {
      const jail = await Jail.create(bareSpec(place, more));
      return { ms: await timeOf(() => jail.stop()) };
    },
    [FLOOR]: async () =>
      byHand(await Jail.create(bareSpec(place, more)), async ({ anchor, link }) => ({
        ms: Number(await program.ask(`${anchor} ${link || '-'}`)) / 1000,
      })),
    [ASKED]: async () =>
      byHand(await Jail.create(bareSpec(place, more)), (entry) => asked(server, entry)),
  };
  return inTurn(subjects, { rounds: quick ? 8 : 25, times: 3 });
}

// The monitor sleeps meanwhile: it would want to do the same.
async function byHand(jail, end) {
  const gone = new Promise((resolve) => jail.once('exit', resolve));
  const entry = entryOf(jail);
  process.kill(Number(entry.monitor), 'SIGSTOP');
  const taken = await end(entry);
  process.kill(Number(entry.monitor), 'SIGCONT');
  await gone;
  return taken;
}

// Started before the time is taken, as the monitor is.
async function asked(server, { anchor, link, folder }) {
  const child = spawn(server, [], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const over = Promise.all([once(child, 'exit'), once(child.stdio[3].resume(), 'end')]);
  await once(child, 'spawn');
  await setTimeout(2);
  const start = performance.now();
  child.stdio[3].write(`${anchor} ${link || '-'} ${folder}`);
  await over;
  return { ms: performance.now() - start };
}

function entryOf(jail) {
  const folder = join(process.env.DRAGONFLY_JAIL_STATE, 'jails', String(jail.jid));
  const lines = readFileSync(join(folder, 'entry'), 'utf8').split('\n');
  return { folder, ...Object.fromEntries(lines.map((line) => line.split(' '))) };
}

async function together(place, { Jail }, { addresses }, one, quick) {
  const count = quick ? 20 : MANY;
  const times = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const jails = [];
    for (let i = 0; i < count; i++) {
      const more = addresses ? { addresses: [`10.92.1.${i + 1}`] } : {};
      jails.push(await Jail.create(bareSpec(place, more)));
    }
    times.push(await timeOf(() => Promise.all(jails.map((jail) => jail.stop()))));
  }
  const kind = addresses ? 'with an address that the host reaches' : 'without addresses';
  const row = compared(`stop of ${count} jails at once, ${kind}`, { ours: times }, []);
  const factor = quantile(times, 0.5) / quantile(one.ours, 0.5);
  return also(row, `≤ ${OVERLAP} × one`, factor, factor <= OVERLAP);
}
