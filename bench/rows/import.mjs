// import 'dragonfly-jail', in a new program.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inTurn } from '../lib/pairs.mjs';
import { packageUrl } from '../lib/place.mjs';
import { also, compared } from '../lib/row.mjs';
import { quantile } from '../lib/statistics.mjs';

const MOST = 15; // ms

/** Beside an empty module. */
export async function run({ place, quick }) {
  const empty = join(place.folder, 'empty.mjs');
  writeFileSync(empty, '');
  const subjects = {
    ours: () => importTime(packageUrl),
    'an empty module': () => importTime(pathToFileURL(empty).href),
  };
  const taken = await inTurn(subjects, { rounds: quick ? 8 : 25, times: 1 });
  const row = compared('import of the package', taken, []);
  const more = quantile(taken.ours, 0.5) - quantile(taken['an empty module'], 0.5);
  return [also(row, `≤ ${MOST} ms more`, more, more <= MOST, 'ms')];
}

function importTime(url) {
  const program = `const start = performance.now();
    await import(${JSON.stringify(url)});
    console.log(performance.now() - start);`;
  const args = ['--input-type=module', '-e', program];
  return { ms: Number(execFileSync(process.execPath, args, { encoding: 'utf8' })) };
}
