// Mocha's spec reporter, and beside it a file with the counts: `--reporter-option result=<file>`.
//
// A test says why it is skipped by setting `skipReason` on its context, its test or one of its suites before it
// calls skip(), or simply in its title.
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

// biome-ignore lint/style/noDefaultExport: mocha looks for it there
export default class SpecWithCounts extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const counts = { passed: 0, failed: 0, skipped: 0, reasons: [], failures: [] };
    runner.on(EVENT_TEST_PASS, () => counts.passed++);
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      counts.failed++;
      counts.failures.push({ title: test.fullTitle(), reason: `${error?.message ?? error}` });
    });
    runner.on(EVENT_TEST_PENDING, (test) => {
      counts.skipped++;
      const reason = skipReason(test);
      counts.reasons.push({ title: test.fullTitle(), reason });
    });
    runner.once(EVENT_RUN_END, () => {
      const file = options?.reporterOptions?.result;
      if (file) writeFileSync(file, JSON.stringify(counts));
    });
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
