// npm run example NAME -- ARGUMENTS: sets up whatever is missing, then runs examples/NAME.ts. npm run demo is one of them.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { at, giveUp } from './lib/project.mjs';
import { compileExamples, setup } from './lib/steps.mjs';

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(at('examples'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
if (!names.includes(name)) giveUp(`Which example? One of ${names.join(', ')}.`);

setup();
if (!compileExamples()) giveUp('The examples do not compile.');
const program = at('build', 'examples', `${name}.js`);
// In the caller's directory: arguments may be names of files.
const cwd = process.env.INIT_CWD ?? process.cwd();
const node = ['--enable-source-maps', program, ...args];
const example = spawn(process.execPath, node, { cwd, stdio: 'inherit' });
// The example ends by them and cleans up; this program waits for that. Those of the terminal reach both.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => example.kill('SIGTERM'));
example.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
