// Mocha's spec reporter, and beside it a file with a line for each test: `--reporter-option result=<file>`.
//
// A test says why it is skipped by setting `skipReason` on its context, its test or one of its suites before it
// calls skip(), or simply in its title.
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

const { EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

// biome-ignore lint/style/noDefaultExport: mocha looks for it there
export default class SpecWithCounts extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options?.reporterOptions?.result;
    const tell = (test, outcome, about) => {
      const line = { outcome, title: test.fullTitle(), ...about };
      if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
    };
    runner.on(EVENT_TEST_PASS, (test) => tell(test, 'passed', { ms: test.duration }));
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      tell(test, 'failed', { reason: `${error?.message ?? error}` });
    });
    runner.on(EVENT_TEST_PENDING, (test) => tell(test, 'skipped', { reason: skipReason(test) }));
  }
}

function skipReason(test) {
  if (test.skipReason) return test.skipReason;
  if (test.ctx?.skipReason) return test.ctx.skipReason;
  for (let suite = test.parent; suite; suite = suite.parent) {
    if (suite.skipReason) return suite.skipReason;
    if (suite.ctx?.skipReason) return suite.ctx.skipReason;
  }
  return 'no reason given';
}
