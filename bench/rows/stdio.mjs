// What a jail writes, until Node has all of it.
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadNative } from '#internal/native.js';
import { inTurn } from '../lib/pairs.mjs';
import { bareSpec } from '../lib/place.mjs';
import { also, compared } from '../lib/row.mjs';
import { ratio } from '../lib/statistics.mjs';

const GIGABYTE = 2 ** 30;
const REAL_PIPE = 'child_process, a pipe(2)';

/** One gigabyte, from a program that writes as libc does, and from one that writes large blocks. */
export async function run({ place, dfjail, quick }) {
  const size = quick ? GIGABYTE / 8 : GIGABYTE;
  const jail = await dfjail.Jail.create(bareSpec(place));
  const rows = [];
  for (const block of [4096, 256 * 1024]) rows.push(await measure(place, jail, size, block, quick));
  await jail.stop();
  return rows;
}

async function measure(place, jail, size, block, quick) {
  const args = [String(size), String(block)];
  const stdio = ['ignore', 'pipe', 'ignore'];
  const subjects = {
    ours: () => drain(jail.spawn('/pour', args, { stdio }), size),
    child_process: () => drain(spawn(place.pour, args, { stdio }), size),
    [REAL_PIPE]: () => byPipe(place.pour, args, size),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 4 : 7, times: 1 });
  const what = `${size / 2 ** 20} MB from a command's stdout, ${block / 1024} KB at a time`;
  const row = compared(what, taken, [[REAL_PIPE, 1.2]]);
  const throughput = ratio(taken.child_process, taken.ours);
  return also(row, 'throughput ≥ 1.0 × child_process', throughput, throughput >= 1);
}

// What child_process calls a pipe is a socket. This is a pipe, as a shell makes it, and as programs need it that open
// /dev/stdout.
function byPipe(file, args, size) {
  const [reader, writer] = loadNative().native.pipe(true);
  const child = spawn(file, args, { stdio: ['ignore', writer, 'ignore'] });
  closeSync(writer);
  child.stdout = new Socket({ fd: reader, readable: true, writable: false });
  child.stdout.resume();
  return drain(child, size);
}

function drain(child, size) {
  return new Promise((resolve, reject) => {
    let got = 0;
    child.stdout.on('data', (chunk) => {
      got += chunk.length;
    });
    child.on('error', reject);
    child.stdout.on('close', () =>
      got === size ? resolve() : reject(new Error(`${got} bytes of ${size}`)),
    );
  });
}
