// Packs what is compiled here for a machine where npm, tsc or a compiler is missing: a folder to be copied there, in which
//
//   node scripts/test-suite.mjs behaviour --compiled --record FILE
//
// runs. The native part and the tests' programs have to be made for that machine elsewhere:
//
//   node scripts/pack-tests.mjs FOLDER --native DIR --programs DIR --tuple dragonfly-x64
//
//   --native DIR     jail.node, jail-monitor and what else belongs there; see binding.gyp
//   --programs DIR   what scripts/test-programs.mjs made
//   --tuple TUPLE    of that machine
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { at, giveUp, say } from './lib/project.mjs';
import { originOf } from './lib/records.mjs';
import { compileExamples, compileLibrary, compileTests } from './lib/steps.mjs';

// What the tests and the bench import; with what each of these needs.
const PACKAGES = [
  'mocha',
  'fast-check',
  'playwright-core',
  'typescript',
  'ps-list',
  'pidtree',
  'systeminformation',
];
const PARTS = [
  ...[
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'docs',
    'man',
    'src',
    'dist',
    'scripts',
    'test',
    'examples',
    'bench',
  ],
  ...['build/test', 'build/examples'],
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    native: { type: 'string' },
    programs: { type: 'string' },
    tuple: { type: 'string', default: 'dragonfly-x64' },
  },
});
const [folder] = positionals;
if (folder === undefined) giveUp('Into which folder?');
if (!compileLibrary() || !compileTests() || !compileExamples()) giveUp('It does not compile.');

for (const part of PARTS) copy(at(part), join(folder, part));
for (const name of closure(PACKAGES))
  copy(at('node_modules', name), join(folder, 'node_modules', name));
if (values.native) copyNative(values.native, join(folder, 'build', 'Release'));
if (values.programs) copy(values.programs, join(folder, 'build', 'test-programs', values.tuple));
writeFileSync(join(folder, 'build', 'origin.json'), JSON.stringify(originOf()));
say(`packed into ${folder}`);

function copy(from, to) {
  if (!existsSync(from)) giveUp(`${from} is missing`);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, '..'), { recursive: true });
  cpSync(from, to, { recursive: true });
}

// What a compiler leaves beside is of no use there.
function copyNative(from, to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isFile()) cpSync(join(from, entry.name), join(to, entry.name));
  }
}

// All of them lie side by side in node_modules, but for a few that lie in the one that needs them.
function closure(names) {
  const found = new Set();
  const left = [...names];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (found.has(name) || !existsSync(at('node_modules', name))) continue;
    found.add(name);
    const { dependencies = {} } = JSON.parse(
      readFileSync(at('node_modules', name, 'package.json'), 'utf8'),
    );
    left.push(...Object.keys(dependencies), ...nested(name));
  }
  return found;
}

function nested(name) {
  const folder = at('node_modules', name, 'node_modules');
  if (!existsSync(folder)) return [];
  const folders = readdirSync(folder).filter((entry) =>
    existsSync(join(folder, entry, 'package.json')),
  );
  return folders.flatMap((entry) => {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(folder, entry, 'package.json'), 'utf8'),
    );
    return Object.keys(dependencies);
  });
}
