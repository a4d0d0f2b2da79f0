// npm test: sets up whatever is missing, runs every suite, and ends with `N passed, N failed, N skipped`.
// What follows `--` goes to mocha: npm test -- --grep address

import { runAsBoth } from './lib/both-users.mjs';
import { runFuzzers, runSanitized } from './lib/native-checks.mjs';
import { giveUp } from './lib/project.mjs';
import { compileExamples, compileTests, setup } from './lib/steps.mjs';
import {
  add,
  conclude,
  fail,
  nothing,
  runMocha,
  runNativeTests,
  runOnModel,
} from './lib/suites.mjs';
import { runTidy } from './lib/tidy.mjs';

const args = process.argv.slice(2);
const FUZZ_SECONDS = 20;

// A suite that ran nothing proves nothing; but somebody who picked a few tests meant it.
function wasSkipped(counts) {
  const ran = counts.passed + counts.failed;
  return ran === 0 && (counts.skipped > 0 || args.length === 0);
}

setup();
if (!compileTests()) giveUp('The tests do not compile.');
if (!compileExamples()) giveUp('The examples do not compile.');

const sum = nothing();
add(sum, runMocha('unit', 'unit', { args }));
const behaviour = runAsBoth('behaviour', { args });
add(sum, behaviour);
add(sum, runOnModel({ args }));
add(sum, runAsBoth('security', { args }));
add(sum, runAsBoth('examples', { args }));
add(sum, runMocha('documents', 'documents', { args }));
add(sum, runAsBoth('reliability', { args }));
add(sum, runMocha('package', 'package', { args }));
if (args.length === 0) {
  add(sum, runNativeTests());
  add(sum, runSanitized());
  add(sum, await runTidy());
  add(sum, await runFuzzers(FUZZ_SECONDS));
}

if (wasSkipped(behaviour)) fail(sum, 'behaviour', 'the suite was skipped as a whole');
conclude(sum);
