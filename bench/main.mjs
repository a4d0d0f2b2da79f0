// npm run bench: the package beside what a user would take instead. bench/README.md explains the table.
import { readFileSync, writeFileSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { parseArgs } from 'node:util';
import { say } from '../scripts/lib/project.mjs';
import { describeMachine } from './lib/machine.mjs';
import { makePlace, packageUrl } from './lib/place.mjs';
import { writeReadme } from './lib/readme.mjs';
import { head, lines } from './lib/report.mjs';

const { values } = parseArgs({
  options: {
    from: { type: 'string' }, // what --json wrote, on another machine: nothing is measured
    json: { type: 'string' },
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
  },
});

if (values.from) {
  const { machine, results } = JSON.parse(readFileSync(values.from, 'utf8'));
  console.log([...head, ...results.flatMap(lines)].join('\n'));
  if (values.readme) writeReadme(machine, results);
  process.exit();
}

const rowsOf = { DragonFly: './rows/dragonfly/index.mjs' };
const { rows } = await import(rowsOf[systemType()] ?? './rows/index.mjs');
const machine = describeMachine();
const place = makePlace();
const results = [];
try {
  const dfjail = await import(packageUrl);
  console.log([...head].join('\n'));
  for (const [name, row] of Object.entries(rows)) {
    if (values.only && !values.only.includes(name)) continue;
    const start = Date.now();
    const measured = await row({ place, dfjail, quick: values.quick });
    say(`${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
    results.push(...measured);
    for (const one of measured) console.log(lines(one).join('\n'));
  }
} finally {
  place.remove();
}
const missed = results.flatMap(({ judged = [] }) => judged).filter(({ met }) => met === false);
say(missed.length === 0 ? 'every bar was met' : `${missed.length} bars were not met`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
if (values.readme) writeReadme(machine, results);
