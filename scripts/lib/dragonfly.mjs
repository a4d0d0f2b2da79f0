// What is compiled for DragonFly, and how: there need not be one, test/dragonfly-stubs stands in for its headers.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { at } from './project.mjs';

const STUBS = at('test', 'dragonfly-stubs');
const FOLDERS = [
  ['native', 'dragonfly'],
  ['native', 'monitor'],
  ['native', 'common'],
  ['native', 'recover'],
  ['native', 'selftest'],
  ['native', 'selftest', 'dragonfly'],
];

export const LANGUAGE = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics'];

/** For clang. */
export const TARGET = [
  '--target=x86_64-unknown-dragonfly',
  '-nostdinc',
  '-nostdinc++',
  '-isystem',
  STUBS,
];

/** The sources of one folder. */
export function sourcesIn(...folder) {
  const files = readdirSync(at(...folder)).filter((file) => file.endsWith('.cc'));
  return files.map((file) => at(...folder, file));
}

/** Everything that is compiled on DragonFly; `other.cc` takes the place of it elsewhere. */
export function dragonflySources() {
  const sources = FOLDERS.flatMap((folder) => sourcesIn(...folder));
  const wanted = sources.filter((file) => !file.endsWith(join('selftest', 'other.cc')));
  return [...wanted, join(STUBS, 'layouts.cc')];
}
