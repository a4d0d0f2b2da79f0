// spawn() in a running jail until `exited` resolves.
import { runChild } from '../../lib/helper.mjs';
import { inTurn } from '../../lib/pairs.mjs';
import { bareSpec } from '../../lib/place.mjs';
import { also, compared } from '../../lib/row.mjs';
import { ratio } from '../../lib/statistics.mjs';

const JEXEC = 'jexec(8), forked';
const FORK = 'child_process.spawn, no jail';
const IN_FLIGHT = 8;

/** Of a program that does nothing, one after the other and 8 at a time. */
export async function run({ place, dfjail, quick }) {
  const jail = await dfjail.Jail.create(bareSpec(place));
  try {
    return [await oneByOne(place, jail, quick), await many(jail, quick)];
  } finally {
    await jail.stop();
  }
}

const ours = (jail) => jail.spawn('/noop', [], { stdio: 'ignore' }).exited;
const jexec = (jail) => runChild('jexec', [String(jail.jid), '/noop']);

async function oneByOne(place, jail, quick) {
  const subjects = {
    ours: () => ours(jail),
    [JEXEC]: () => jexec(jail),
    [FORK]: () => runChild(place.noop, []),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 8 : 25, times: 10 });
  return compared('spawn → exited, stdio ignored', taken, [[JEXEC, 0.5]]);
}

async function many(jail, quick) {
  const count = quick ? 50 : 200;
  const subjects = {
    ours: () => inFlight(count, () => ours(jail)),
    [JEXEC]: () => inFlight(count, () => jexec(jail)),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 3 : 5, times: 1 });
  const row = compared(`${count} spawns, ${IN_FLIGHT} in flight`, taken, []);
  const faster = ratio(taken[JEXEC], taken.ours);
  return also(row, `throughput ≥ 1.5 × ${JEXEC}`, faster, faster >= 1.5);
}

async function inFlight(count, start) {
  let left = count;
  const one = async () => {
    while (left-- > 0) await start();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}
