import assert from 'node:assert/strict';
import { leaveNothing, runExample } from '../support/example.js';

describe('the unit tests of somebody’s own supervisor', () => {
  leaveNothing();

  it('pass, all of them', async () => {
    const { code, stdout, stderr } = await runExample('unit-test');
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^# tests 6$/m);
    assert.match(stdout, /^# pass 6$/m);
  });
});
