// npm run demo: sets up whatever is missing, then runs examples/demo.ts.

import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { at, giveUp, root } from './lib/project.mjs';
import { compileExamples, setup } from './lib/steps.mjs';

setup();
if (!compileExamples()) giveUp('The examples do not compile.');
const args = ['--enable-source-maps', at('build', 'examples', 'demo.js'), ...process.argv.slice(2)];
const demo = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
process.exitCode = demo.status ?? 128 + (constants.signals[demo.signal] ?? 0);
