// npm run test:security, npm run test:reliability: one suite by itself, short as in `npm test`, or with `--long` whole.
// What follows goes to mocha: npm run test:security -- --grep mount
import { runAsBoth } from './lib/both-users.mjs';
import { giveUp } from './lib/project.mjs';
import { compileTests, setup } from './lib/steps.mjs';
import { conclude } from './lib/suites.mjs';

const SUITES = ['security', 'reliability'];
const LONG = '--long';

const [folder, ...rest] = process.argv.slice(2);
if (!SUITES.includes(folder)) giveUp(`Which suite? One of ${SUITES.join(', ')}.`);
const long = rest.includes(LONG);
if (long) process.env.DRAGONFLY_JAIL_LONG = '1';

setup();
if (!compileTests()) giveUp('The tests do not compile.');

const args = rest.filter((arg) => arg !== LONG);
const sum = runAsBoth(folder, { args, long });
conclude(sum);
