// The steps from a fresh clone to something that runs. Each does nothing when its result is up to date.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { filesBelow, isFresh, writeStamp } from './fresh.mjs';
import { buildNative } from './native.mjs';
import { at, giveUp, root, run, runQuietly, say } from './project.mjs';

/** Installs the packages that package-lock.json names. Their install scripts are not run: none is needed. */
export function installPackages() {
  // npm writes this file whenever it has finished.
  if (isFresh(at('node_modules', '.package-lock.json'), [at('package-lock.json')])) return;
  say('installing packages …');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const done = npm ? runQuietly(process.execPath, [npm, ...args]) : runQuietly('npm', args);
  if (!done) giveUp('npm ci failed.', 'is the package registry reachable from here?');
}

/** Compiles src to dist, and joins there what is loaded together. */
export function compileLibrary() {
  if (!compile('TypeScript', at('tsconfig.json'), at('src'), at('dist'))) return false;
  if (!isBundled() && !run(process.execPath, [at('scripts', 'bundle.mjs')])) return false;
  chmodSync(at('dist', 'cli', 'main.js'), 0o755); // npm does it only where the package is installed
  return true;
}

/** Compiles test to build/test; the library must have been compiled before. */
export function compileTests() {
  return compile('the tests', at('test', 'tsconfig.json'), at('test'), at('build', 'test'));
}

/** Compiles examples to build/examples; the library must have been compiled before. */
export function compileExamples() {
  const [sources, output] = [at('examples'), at('build', 'examples')];
  if (!compile('the examples', at('examples', 'tsconfig.json'), sources, output)) return false;
  copyPages(sources, output);
  return true;
}

/** Everything that is needed to use the package from this checkout. */
export function setup() {
  installPackages();
  buildNative();
  if (!compileLibrary()) giveUp('TypeScript does not compile.');
}

/** The TypeScript compiler; true when it found nothing to complain of. */
export function tsc(...args) {
  const compiler = at('node_modules', 'typescript', 'bin', 'tsc');
  return run(process.execPath, [compiler, ...args]);
}

// tsc writes this file anew.
function isBundled() {
  return readFileSync(at('dist', 'index.js'), 'utf8').includes('./bundle/');
}

// What a browser gets is no program of Node's: tsc leaves it alone.
function copyPages(sources, output) {
  for (const file of filesBelow(sources).filter((name) => /\.(html|css|js)$/.test(name))) {
    const copy = join(output, relative(sources, file));
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(file, copy);
  }
}

function compile(what, config, sources, output) {
  const stamp = `${output}/.stamp`;
  const inputs = [...filesBelow(sources), config, at('tsconfig.json'), at('package.json')];
  // What was compiled against the library is stale when the library is, and that when it would be joined otherwise.
  inputs.push(output === at('dist') ? at('scripts', 'lib', 'bundle.mjs') : at('dist', '.stamp'));
  removeOrphans(sources, output);
  if (isFresh(stamp, inputs)) return true;
  say(`compiling ${what} …`);
  const startedAt = Date.now();
  if (!tsc('-p', config)) return false;
  writeStamp(stamp, startedAt);
  return true;
}

// A test whose source was removed would otherwise run for ever.
function removeOrphans(sources, output) {
  for (const file of filesBelow(output)) {
    const path = relative(output, file);
    const source = path.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (/\/bundle\/|\.stamp$/.test(file)) continue;
    if ([source, path].some((name) => existsSync(join(sources, name)))) continue;
    rmSync(file);
    say(`removed ${relative(root, file)}: it has no source any more`);
  }
}
