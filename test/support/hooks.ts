import { patience } from './environment.js';

/** What mocha does around every test, where it is told to require this: on machines that are slow, tests have longer. */
export const mochaHooks = {
  beforeEach(this: Mocha.Context): void {
    const test = this.currentTest;
    test?.timeout(patience(test.timeout()));
  },
};
