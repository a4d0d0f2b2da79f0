// clang-tidy over the native part and its tests, as Linux compiles them and as DragonFly does: .clang-tidy has the checks.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { dragonflySources, LANGUAGE, TARGET } from './dragonfly.mjs';
import { CHECKS, missing, skipped, verdict } from './native-checks.mjs';
import { at, root, say } from './project.mjs';
import { add, nothing } from './suites.mjs';

const AT_ONCE = 2;
// With the sanitizers everything that runs on Linux is compiled.
const COMPILED = join(CHECKS, 'address');
// The anchor, which is a program without a library.
const FREESTANDING = ['-std=c++17', '-ffreestanding', '-fno-exceptions', '-fno-rtti'];

function linuxJobs() {
  const commands = JSON.parse(readFileSync(join(COMPILED, 'compile_commands.json'), 'utf8'));
  const files = [...new Set(commands.map(({ file }) => file))];
  const anchor = at('native', 'anchor', 'anchor.cc');
  return [...files.map((file) => ['-p', COMPILED, file]), [anchor, '--', ...FREESTANDING]];
}

function dragonflyJobs() {
  return dragonflySources().map((file) => [file, '--', ...TARGET, ...LANGUAGE]);
}

// What it complains of.
function tidy(args) {
  return new Promise((resolve) => {
    const child = spawn('clang-tidy', ['--quiet', ...args], { cwd: root });
    const output = [];
    child.stdout.on('data', (data) => output.push(data));
    // How many warnings it has left out; it complains on the other one.
    child.stderr.resume();
    child.on('error', (error) => resolve(`${error}`));
    child.on('close', (code) => {
      const text = Buffer.concat(output).toString();
      resolve(code === 0 ? '' : `${args.join(' ')}: exit code ${code}\n${text}`);
    });
  });
}

async function tidyAll(title, jobs) {
  const complaints = [];
  const left = [...jobs];
  const next = async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift())
      complaints.push(await tidy(job));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  const told = complaints.filter((text) => text !== '');
  for (const text of told) say(text);
  return verdict(
    `clang-tidy has nothing to say about ${jobs.length} files ${title}`,
    told.length === 0,
  );
}

/** After {@link runSanitized}, which tells how each file is compiled. */
export async function runTidy() {
  const lacking = missing(['clang-tidy']);
  if (lacking !== null) return skipped('clang-tidy', lacking);
  if (!existsSync(join(COMPILED, 'compile_commands.json')))
    return skipped('clang-tidy', `${relative(root, COMPILED)} was not made`);
  say('\n== clang-tidy');
  const sum = nothing();
  add(sum, await tidyAll('of Linux', linuxJobs()));
  add(sum, await tidyAll('of DragonFly', dragonflyJobs()));
  return sum;
}
