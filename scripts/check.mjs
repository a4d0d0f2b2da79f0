// npm run check: lint, types, public surface, doc comments and format of both languages. With --fix (npm run format) it mends what it can.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type as systemType } from 'node:os';
import { filesBelow } from './lib/fresh.mjs';
import { stalePlatformTexts, writePlatformTexts } from './lib/platform-row.mjs';
import { at, giveUp, run, say } from './lib/project.mjs';
import { staleness } from './lib/records.mjs';
import { compileLibrary, installPackages, tsc } from './lib/steps.mjs';

const fix = process.argv.includes('--fix');

const WITHOUT = 'has no program for this system';

function biome() {
  if (systemType() === 'DragonFly') return notHere('biome', 'lint and the format of TypeScript');
  const program = at('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const args = ['check', '--error-on-warnings', ...(fix ? ['--write'] : [])];
  return run(process.execPath, [program, ...args]);
}

function types() {
  // The tests see the library as its users do, by its declarations.
  if (!compileLibrary()) return false;
  const projects = ['test', 'examples'].filter((folder) => hasTypeScript(folder));
  const results = projects.map((folder) => tsc('--noEmit', '-p', at(folder, 'tsconfig.json')));
  return results.every(Boolean);
}

function hasTypeScript(folder) {
  return filesBelow(at(folder)).some((file) => file.endsWith('.ts'));
}

// After the types: it reads the declarations in dist.
function publicSurface() {
  return run(process.execPath, [at('scripts', 'api.mjs'), ...(fix ? [] : ['--check'])]);
}

// Loaded only here: it brings a compiler with it, which has to be installed first.
async function docComments() {
  const { documentationGaps } = await import('./lib/doc-comments.mjs');
  const { gaps } = documentationGaps();
  for (const gap of gaps) say(`no doc comment says it: ${gap}`);
  return gaps.length === 0;
}

function notHere(name, what) {
  say(`${name} ${WITHOUT}: ${what} are not checked`);
  return true;
}

// It throws where it has none.
function clangFormatProgram() {
  try {
    return createRequire(import.meta.url)('clang-format').getNativeBinary();
  } catch {
    return null;
  }
}

function clangFormat() {
  const program = clangFormatProgram();
  if (!program || !existsSync(program)) return notHere('clang-format', 'the formats of C++');
  const sources = [...filesBelow(at('native')), ...filesBelow(at('test', 'native'))];
  const files = sources.filter((file) => /\.(cc|hh)$/.test(file));
  if (files.length === 0) return true;
  return run(program, [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...files]);
}

// What the documents say of DragonFly is what the records say; and what has changed since is named, which is no failure.
function records() {
  for (const { name, changed } of staleness()) {
    if (changed === null) say(`${name} does not tell what it was taken of`);
    else if (changed.length > 0)
      say(
        `not run on DragonFly since ${name}: ${changed.length} files have changed\n  ${changed.join('\n  ')}`,
      );
  }
  if (fix) writePlatformTexts();
  const stale = stalePlatformTexts().map(({ path }) => path);
  if (stale.length > 0) say(`${stale.join(', ')}: not what the records say`);
  return stale.length === 0;
}

installPackages();
const checks = {
  biome,
  types: fix ? () => true : types,
  'public surface': publicSurface,
  'doc comments': docComments,
  'clang-format': clangFormat,
  records,
};
const failed = [];
for (const [name, check] of Object.entries(checks)) if (!(await check())) failed.push(name);
if (failed.length > 0) {
  const hint = fix ? undefined : 'npm run format mends what can be mended';
  giveUp(`failed: ${failed.join(', ')}`, hint);
}
say(fix ? 'formatted' : 'lint, types, public surface, doc comments and format are fine');
