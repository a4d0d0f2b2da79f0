// How long the event loop stands still for one spawn(), by the size of the heap.
import { execFileSync } from 'node:child_process';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { absent, also, compared } from '../../lib/row.mjs';
import { quantile } from '../../lib/statistics.mjs';

const PROGRAM = fileURLToPath(new URL('../../programs/hold.mjs', import.meta.url));
const SIZES = [50, 256, 512]; // MB
const THEIRS = 'child_process.spawn of jexec(8)';
const MOST = 0.3;
const FLAT = 1.3; // largest to smallest

/** In a program of its own for each size. */
export async function run({ place, quick }) {
  const sizes = quick ? SIZES.slice(0, 2) : SIZES;
  const rows = sizes.map((size) => describe(place, size));
  const medians = rows.filter((row) => row.figures).map((row) => row.figures.ours.median);
  const last = rows.findLast((row) => row.figures);
  const flat = Math.max(...medians) / Math.min(...medians);
  also(last, `flat over the heap sizes ≤ ${FLAT} ×`, flat, flat <= FLAT);
  return rows;
}

function describe(place, size) {
  const what = `event loop held by one spawn, heap ${size} MB`;
  if (freemem() < size * 2 * 2 ** 20) return absent(what, 'not enough free memory');
  const flags = ['--max-old-space-size=4096', '--max-semi-space-size=16'];
  const args = [...flags, PROGRAM, place.root, String(size)];
  const taken = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  const row = compared(what, { ours: taken.ours, [THEIRS]: taken.theirs }, []);
  row.heap = size;
  const part = quantile(taken.ours, 0.5) / quantile(taken.theirs, 0.5);
  return also(row, `≤ ${MOST} × ${THEIRS}`, part, part <= MOST);
}
