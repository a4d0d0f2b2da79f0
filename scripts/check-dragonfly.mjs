// npm run check:dragonfly: compiles everything that runs on DragonFly, except the Node-API glue, for DragonFly: the calls,
// the monitor and the self-test. There need not be a DragonFly: test/dragonfly-stubs stands in for its headers.
//
//   --selftest   instead: builds the part of jail-selftest that runs on any system with this system's own compiler, and
//                runs it, with the monitor in build/Release when that is there
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { dragonflySources, LANGUAGE, sourcesIn, TARGET } from './lib/dragonfly.mjs';
import { at, giveUp, root, say } from './lib/project.mjs';

const WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Werror'];
const OUTPUT = ['-O1', '-c'];

function works(program, ...args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function findClang() {
  const names = ['clang++', ...[19, 18, 17, 16, 15, 14].map((n) => `clang++-${n}`)];
  return names.find((name) => works(name, '--version'));
}

/** clang, installed when it is missing and that is possible. */
function clang() {
  const found = findClang();
  if (found) return found;
  if (process.getuid?.() === 0 && works('apt-get', '--version')) {
    say('installing clang …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = ['install', '-y', '--no-install-recommends', 'clang'];
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env };
    if (spawnSync('apt-get', install, quiet).status !== 0) {
      spawnSync('apt-get', ['update'], quiet);
      spawnSync('apt-get', install, quiet);
    }
  }
  const hint = systemType() === 'DragonFly' ? 'pkg install llvm' : 'apt-get install clang';
  return findClang() ?? giveUp('clang++ was not found.', hint);
}

/** Compiles one file; what the compiler complains of. */
function compile(compiler, source, folder) {
  const object = join(folder, `${relative(root, source).replaceAll(/[/\\]/g, '_')}.o`);
  const args = [...TARGET, ...OUTPUT, ...LANGUAGE, ...WARNINGS, source, '-o', object];
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status === 0) return [];
  return [`${relative(root, source)}:\n${stderr || error?.message}`];
}

/** Names that only libstdc++ or libc++abi would have. */
function runtimeSymbols(folder) {
  const nm = ['nm', 'llvm-nm', 'llvm-nm-14'].find((name) => works(name, '--version'));
  if (!nm) return [];
  const objects = readdirSync(folder).map((file) => join(folder, file));
  const { stdout } = spawnSync(nm, ['-u', ...objects], { encoding: 'utf8' });
  const names = stdout.split('\n').map((line) => line.trim().replace(/^U /, ''));
  return [
    ...new Set(
      names.filter((name) => /^(_Zn[wa]|_Zd[la]|_ZSt|_ZNSt|__cxa_(throw|guard|pure))/.test(name)),
    ),
  ];
}

function checkSources() {
  const compiler = clang();
  const folder = mkdtempSync(join(tmpdir(), 'check-dragonfly-'));
  const sources = dragonflySources();
  const complaints = sources.flatMap((source) => compile(compiler, source, folder));
  const runtime = runtimeSymbols(folder);
  rmSync(folder, { recursive: true, force: true });
  if (complaints.length > 0) giveUp(complaints.join('\n'));
  if (runtime.length > 0) giveUp(`the C++ runtime would be needed for ${runtime.join(', ')}`);
  say(`${sources.length} files compile for DragonFly`);
}

function runSelftest() {
  const folder = at('build', 'selftest');
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'jail-selftest');
  const sources = [
    ...sourcesIn('native', 'selftest'),
    ...['class_context', 'class_value', 'identity', 'login_class', 'protocol'].map((name) =>
      at('native', 'monitor', `${name}.cc`),
    ),
  ];
  const compiler =
    process.env.CXX ?? ['g++', 'c++', 'clang++'].find((name) => works(name, '--version'));
  if (!compiler) giveUp('No C++ compiler was found.', 'apt-get install g++');
  const args = [...LANGUAGE, ...WARNINGS, '-D_GNU_SOURCE', '-O1', ...sources, '-o', program];
  const built = spawnSync(compiler, args, { encoding: 'utf8' });
  if (built.status !== 0) giveUp(`jail-selftest does not compile:\n${built.stderr || built.error}`);
  const monitor = at('build', 'Release', 'jail-monitor');
  const options = existsSync(monitor) ? ['--monitor', monitor] : [];
  const { status } = spawnSync(program, options, { stdio: 'inherit' });
  if (status !== 0) giveUp('jail-selftest failed');
}

if (process.argv.includes('--selftest')) runSelftest();
else checkSources();
