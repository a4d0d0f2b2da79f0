// A thousand jails alive.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bareSpec } from '../lib/place.mjs';
import { also, bounded, compared } from '../lib/row.mjs';
import { quantile } from '../lib/statistics.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/many-jails.mjs', import.meta.url));
const MANY = 1000;

/** In a program of its own, whose resident size is measured too. */
export async function run({ place, quick }) {
  const count = quick ? 200 : MANY;
  const args = ['--expose-gc', PROGRAM, JSON.stringify(bareSpec(place)), String(count)];
  const told = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  const early = told.points[0];
  const late = told.points.at(-1);
  const create = compared(
    `create of the ${late.jails}th jail`,
    { ours: late.create, [`the ${early.jails}th`]: early.create },
    [],
  );
  const slower = quantile(late.create, 0.5) / quantile(early.create, 0.5);
  also(create, '≤ 1.5 × the 10th', slower, slower <= 1.5);
  create.points = told.points.map((point) => ({
    jails: point.jails,
    create: quantile(point.create, 0.5),
    list: quantile(point.list, 0.5),
  }));
  const list = late.list.map((ms) => (ms * 1000) / late.jails);
  return [
    create,
    bounded(`listJails() with ${late.jails} jails, a jail`, list, 5, 'µs'),
    bounded('monitor + anchor, a jail (PSS)', [told.pss / 1024], 700, 'kB'),
    bounded("Node's own resident size, a jail", [told.rss / 1024], 40, 'kB'),
  ];
}
