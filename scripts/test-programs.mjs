// Compiles the tests' own programs in C, as test/programs.json lists them, beforehand: for machines without a compiler.
//
//   node scripts/test-programs.mjs                        for this machine, into build/test-programs/<tuple>
//   node scripts/test-programs.mjs --system dragonfly --cc "clang --target=… --sysroot=…"     for another one
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { at, giveUp, say } from './lib/project.mjs';

const { values } = parseArgs({
  options: {
    cc: { type: 'string', default: process.env.CC ?? 'cc' },
    out: { type: 'string' },
    system: { type: 'string', default: systemType().toLowerCase() },
  },
});
const recipes = JSON.parse(readFileSync(at('test', 'programs.json'), 'utf8'));
const out = values.out ?? at('build', 'test-programs', await tuple());
const [compiler, ...options] = values.cc.split(' ');

async function tuple() {
  if (values.system !== systemType().toLowerCase()) return `${values.system}-${process.arch}`;
  return (await import(at('dist', 'loader', 'tuple.js'))).hostTuple();
}

function sourcesAt(path) {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.c'));
  return names.map((name) => join(path, name));
}

mkdirSync(out, { recursive: true });
for (const [name, recipe] of Object.entries(recipes)) {
  const sources = recipe[values.system]?.flatMap((path) => sourcesAt(at(path)));
  if (sources === undefined) continue;
  // Elsewhere they have to run in roots without libraries.
  const flags = values.system === 'dragonfly' ? ['-static', ...recipe.flags] : recipe.flags;
  const args = [...options, ...flags, '-o', join(out, name), ...sources, '-lutil'];
  const { status, error } = spawnSync(compiler, args, { stdio: 'inherit' });
  if (status !== 0) giveUp(`${name} could not be compiled: ${error?.message ?? 'see above'}`);
  say(join(out, name));
}
