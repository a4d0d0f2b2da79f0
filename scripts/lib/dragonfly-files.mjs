// Which files run on DragonFly: what a record of a run there is about, and what makes it old when it changes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { filesBelow } from './fresh.mjs';
import { at, root } from './project.mjs';

const NATIVE = ['native/common', 'native/dragonfly', 'native/monitor', 'native/recover'];
const NATIVE_FILE = /\.(cc|hh|inc)$/;
// Other kernels' own.
const ELSEWHERE = /^(native\/addon\/linux_|src\/backends\/(linux|model)\/)/;

function filesOf(folders, wanted) {
  const all = folders.flatMap((folder) => filesBelow(at(folder)));
  const paths = all.map((file) => relative(root, file).replaceAll('\\', '/'));
  return paths.filter((path) => wanted.test(path) && !ELSEWHERE.test(path)).sort();
}

/** What the self-test is made of. */
export function selftestFiles() {
  return filesOf([...NATIVE, 'native/selftest'], NATIVE_FILE);
}

/** What the suites run. */
export function suiteFiles() {
  return [...filesOf([...NATIVE, 'native/addon'], NATIVE_FILE), ...filesOf(['src'], /\.ts$/)];
}

/** Their hashes by their paths. */
export function hashesOf(paths) {
  return Object.fromEntries(paths.map((path) => [path, hashOf(path)]));
}

/** Those of the files that are not as they were then, those that came, and those that went. */
export function changedSince(hashes, paths) {
  const now = paths.filter((path) => hashes[path] !== hashOf(path));
  const gone = Object.keys(hashes).filter((path) => !paths.includes(path));
  return [...now, ...gone].sort();
}

function hashOf(path) {
  return createHash('sha256')
    .update(readFileSync(at(path)))
    .digest('hex');
}
