import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { type as systemType } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTuple } from '#internal/loader/tuple.js';
import { skip } from './environment.js';

// The tests' own programs in C, as test/programs.json lists them. They are compiled here, or have been beforehand where there
// is no compiler: by scripts/test-programs.mjs into build/test-programs/<tuple>, or the folder that DFJAIL_TEST_PROGRAMS
// names.

interface Recipe {
  readonly flags: readonly string[];
  readonly linux?: readonly string[];
  readonly dragonfly?: readonly string[];
}

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const recipes: Readonly<Record<string, Recipe>> = JSON.parse(
  readFileSync(join(PROJECT, 'test', 'programs.json'), 'utf8'),
);

/** Puts one of them to a place. The test or hook is skipped where it can neither be compiled nor was. */
export function placeProgram(context: Mocha.Context, name: string, file: string): void {
  const reason = makeProgram(name, file);
  if (reason !== null) skip(context, reason);
}

/** The same, for those without a context; null, or why it could not be. */
export function makeProgram(name: string, file: string): string | null {
  const chosen = process.env.DFJAIL_TEST_PROGRAMS;
  if (chosen !== undefined) copyFileSync(join(chosen, name), file);
  else if (!compile(name, file)) {
    const built = join(PROJECT, 'build', 'test-programs', hostTuple(), name);
    if (!existsSync(built)) return `no C compiler, and no ${built}`;
    copyFileSync(built, file);
  }
  chmodSync(file, 0o755);
  return null;
}

// False: there is no compiler.
function compile(name: string, file: string): boolean {
  const { flags, sources } = recipeOf(name);
  try {
    const args = [...flags, '-o', file, ...sources, ...libraries()];
    execFileSync(process.env.CC ?? 'cc', args, { stdio: 'pipe' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

// Where openpty(3) is not in the C library.
function libraries(): string[] {
  return ['-lutil'];
}

function recipeOf(name: string): { flags: readonly string[]; sources: string[] } {
  const recipe = recipes[name];
  const sources = recipe?.[systemType() === 'DragonFly' ? 'dragonfly' : 'linux'];
  if (recipe === undefined || sources === undefined) throw new Error(`there is no program ${name}`);
  return {
    flags: recipe.flags,
    sources: sources.flatMap((path) => sourcesAt(join(PROJECT, path))),
  };
}

function sourcesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.c'));
  return names.map((name) => join(path, name));
}
