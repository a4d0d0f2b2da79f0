// What a jail writes, until Node has all of it.
import { spawn } from 'node:child_process';
import { inTurn } from '../lib/pairs.mjs';
import { bareSpec } from '../lib/place.mjs';
import { also, compared } from '../lib/row.mjs';
import { ratio } from '../lib/statistics.mjs';

const GIGABYTE = 2 ** 30;

/** One gigabyte through a pipe. */
export async function run({ place, dfjail, quick }) {
  const size = quick ? GIGABYTE / 8 : GIGABYTE;
  const jail = await dfjail.Jail.create(bareSpec(place));
  const stdio = ['ignore', 'pipe', 'ignore'];
  const subjects = {
    ours: () => drain(jail.spawn('/pour', [String(size)], { stdio }), size),
    child_process: () => drain(spawn(place.pour, [String(size)], { stdio }), size),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 4 : 8, times: 1 });
  await jail.stop();
  const row = compared(`${size / 2 ** 20} MB from a command's stdout`, taken, []);
  const throughput = ratio(taken.child_process, taken.ours);
  return [also(row, 'throughput ≥ 1.0 × child_process', throughput, throughput >= 1)];
}

function drain(child, size) {
  return new Promise((resolve, reject) => {
    let got = 0;
    child.stdout.on('data', (chunk) => {
      got += chunk.length;
    });
    child.on('error', reject);
    child.on('close', () => (got === size ? resolve() : reject(new Error(`${got} bytes`))));
  });
}
