import { ModelKernel, useModelKernel } from 'dragonfly-jail/testing';
import { onModel, rememberTest } from '../environment.js';
import { addPrograms } from './programs.js';

let kernel: ModelKernel | null = null;

/** The kernel that the whole suite runs on; null: it runs on this machine's own. */
export function modelKernel(): ModelKernel | null {
  if (!onModel) return null;
  kernel ??= makeKernel();
  return kernel;
}

// Where the host has what the suite mounts into its jails.
function makeKernel(): ModelKernel {
  const made = new ModelKernel({ version: '6.x' });
  for (const folder of ['/usr/bin', '/bin', '/tmp', '/etc']) made.directory(folder);
  made.host.chmod('/tmp', 0o1777);
  made.file('/etc/passwd', 'root:*:0:0::/root:/bin/sh\nnobody:*:65534:65534::/:/bin/sh\n');
  addPrograms(made);
  useModelKernel(made);
  forbidSignals();
  return made;
}

// The pids of a model are those of anybody here.
function forbidSignals(): void {
  process.kill = () => {
    throw new Error('signal processes of the model by killOnHost()');
  };
}

/** As a required file of mocha: from the very start. */
modelKernel();

/** And these hooks of it. */
export const mochaHooks = {
  beforeEach(this: Mocha.Context): void {
    rememberTest(this.currentTest);
  },
};
