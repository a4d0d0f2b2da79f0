// One suite or several by themselves, short as in `npm test`, or with `--long` whole. What follows goes to mocha:
//
//   npm run test:security -- --grep mount
//   node scripts/test-suite.mjs behaviour examples --compiled --record FILE
//
//   --compiled     what was compiled before, on this machine or, by pack-tests.mjs, on another one: nothing is set up
//   --record FILE  writes what came of each test, with the machine and the sources; see test/fixtures/recordings
import { writeFileSync } from 'node:fs';
import { runAsBoth } from './lib/both-users.mjs';
import { at, giveUp, say } from './lib/project.mjs';
import { record, selftestHead } from './lib/records.mjs';
import { compileExamples, compileTests, setup } from './lib/steps.mjs';
import { add, conclude, nothing, runMocha, runOnModel, runTap } from './lib/suites.mjs';

const SUITES = {
  unit: (options) => runMocha('unit', 'unit', options),
  behaviour: (options) => runAsBoth('behaviour', options),
  model: (options) => runOnModel(options),
  security: (options) => runAsBoth('security', options),
  examples: (options) => runAsBoth('examples', options),
  documents: (options) => runMocha('documents', 'documents', options),
  reliability: (options) => runAsBoth('reliability', options),
  package: (options) => runMocha('package', 'package', options),
};
const SELFTEST = 'selftest';

const wanted = [];
const rest = process.argv.slice(2).filter((arg) => arg !== '--');
while (rest[0] in SUITES || rest[0] === SELFTEST) wanted.push(rest.shift());
if (wanted.length === 0) giveUp(`Which suite? ${[...Object.keys(SUITES), SELFTEST].join(', ')}.`);
const long = taken('--long');
if (long) process.env.DRAGONFLY_JAIL_LONG = '1';
const compiled = taken('--compiled');
const file = takenWithValue('--record');

function taken(option) {
  const index = rest.indexOf(option);
  if (index >= 0) rest.splice(index, 1);
  return index >= 0;
}

function takenWithValue(option) {
  const index = rest.indexOf(option);
  return index < 0 ? null : rest.splice(index, 2)[1];
}

// The self-test is no suite of mocha's: its record is what it says.
function runSelftest() {
  const folder = process.env.DRAGONFLY_JAIL_NATIVE ?? at('build', 'Release');
  const args = ['--monitor', `${folder}/jail-monitor`, ...rest];
  const counts = runTap(`${folder}/jail-selftest`, args, SELFTEST);
  if (file !== null) {
    const head = selftestHead(`jail-selftest --monitor jail-monitor ${rest.join(' ')}`.trim());
    writeFileSync(file, `${head.join('\n')}\n${counts.text}`);
  }
  return counts;
}

if (!compiled) {
  setup();
  if (!compileTests()) giveUp('The tests do not compile.');
  if (wanted.includes('examples') && !compileExamples()) giveUp('The examples do not compile.');
}

const sum = nothing();
for (const name of wanted) {
  if (name === SELFTEST) {
    add(sum, runSelftest());
    continue;
  }
  const counts = SUITES[name]({ args: rest, long });
  if (file !== null) {
    record(file, name, counts);
    say(`recorded ${name} in ${file}`);
  }
  add(sum, counts);
}
conclude(sum);
