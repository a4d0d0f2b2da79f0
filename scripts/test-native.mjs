// npm run test:native: sanitizers, valgrind, and fuzzers for twenty seconds each; with `--long` for ten minutes each.
import { runFuzzers, runSanitized } from './lib/native-checks.mjs';
import { giveUp } from './lib/project.mjs';
import { compileTests, setup } from './lib/steps.mjs';
import { add, conclude, runNativeTests } from './lib/suites.mjs';
import { runTidy } from './lib/tidy.mjs';

const SHORT = 20;
const LONG = 600;

setup();
if (!compileTests()) giveUp('The tests do not compile.');

const sum = runNativeTests();
add(sum, runSanitized());
add(sum, await runTidy());
add(sum, await runFuzzers(process.argv.includes('--long') ? LONG : SHORT));
conclude(sum);
