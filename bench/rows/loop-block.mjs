// How long the event loop stands still for one spawn(), by the size of the heap.
import { execFileSync } from 'node:child_process';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { absent, also, bounded, compared } from '../lib/row.mjs';
import { quantile } from '../lib/statistics.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/loop-block.mjs', import.meta.url));
const SIZES = [50, 512, 2048, 4096]; // MB
const MOST = 0.15; // ms
const FLAT = 1.3; // largest to smallest
const FLOOR = 'the text of a command to a process that sleeps';
const EARLY = 'here, the first 50 of the program';
const LESS = 200; // than child_process at 2 GB
const LEAST = 1.2; // times the least that asking somebody costs, there too

/** Programs of their own for each size, in turn: where the scheduler has put one makes more of a difference than a heap. */
export async function run({ place, quick }) {
  const sizes = quick ? SIZES.slice(0, 3) : SIZES;
  const room = sizes.filter((size) => freemem() > size * 2.5 * 2 ** 20);
  const server = place.compile('vfork-server');
  const taken = new Map(room.map((size) => [size, { early: [], ours: [], theirs: [], floor: [] }]));
  for (let round = 0; round < (quick ? 1 : 2); round++) {
    for (const size of room) {
      const measured = measure(place, size, server);
      for (const [name, list] of Object.entries(taken.get(size))) list.push(...measured[name]);
    }
  }
  const rows = sizes.map((size) => describe(size, taken.get(size)));
  const medians = rows.filter((row) => row.figures).map((row) => row.figures.ours.median);
  const last = rows.findLast((row) => row.figures);
  const flat = Math.max(...medians) / Math.min(...medians);
  also(last, `flat over the heap sizes ≤ ${FLAT} ×`, flat, flat <= FLAT);
  return rows;
}

function measure(place, size, server) {
  const flags = ['--max-old-space-size=12288', '--max-semi-space-size=16'];
  const args = [...flags, PROGRAM, place.root, String(size), server];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function describe(size, taken) {
  const what = `event loop blocked by one spawn, heap ${size} MB`;
  if (taken === undefined) return absent(what, 'not enough free memory');
  const { early, ours, theirs, floor } = taken;
  const row = bounded(what, ours, MOST, 'ms');
  row.heap = size;
  const subjects = { ours, [EARLY]: early, 'child_process.spawn': theirs, [FLOOR]: floor };
  row.figures = compared(what, subjects, []).figures;
  if (size !== 2048) return row;
  const median = quantile(ours, 0.5);
  const less = quantile(theirs, 0.5) / median;
  also(row, `child_process ≥ ${LESS} ×`, less, less >= LESS);
  const least = median / quantile(floor, 0.5);
  return also(row, `≤ ${LEAST} × ${FLOOR}`, least, least <= LEAST);
}
