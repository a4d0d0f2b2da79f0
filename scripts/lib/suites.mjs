// Runs one suite and counts what came of it.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { filesBelow } from './fresh.mjs';
import { at, root, say } from './project.mjs';

const isDragonfly = systemType() === 'DragonFly'; // on emulated processors, mostly
const TEST_TIMEOUT = 30_000; // of one test: machines of CI are slow
const SUITE_TIMEOUT = (isDragonfly ? 90 : 20) * 60_000; // of a suite that hangs, on a handle that was forgotten for one
const LONG_TIMEOUT = 6 * 3_600_000; // of a suite that was asked to take its time

/** No test at all. */
export function nothing() {
  return { passed: 0, failed: 0, skipped: 0, reasons: [], failures: [], tests: [] };
}

/** Adds the counts of one suite to a sum. */
export function add(sum, counts) {
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  sum.skipped += counts.skipped;
  sum.reasons.push(...counts.reasons);
  sum.failures.push(...counts.failures);
  sum.tests.push(...counts.tests);
}

/** Counts one failure that no test has told of. */
export function fail(counts, title, reason) {
  counts.failed++;
  counts.failures.push({ title, reason });
  counts.tests.push({ failed: title, reason });
}

/**
 * Ends the output of a script with what somebody wants to know who sees the end alone: what was skipped, what failed,
 * and the line of the counts.
 */
export function conclude(sum) {
  for (const { title, reason } of sum.reasons) console.log(`skipped: ${title}: ${reason}`);
  for (const { title, reason } of sum.failures) console.log(`failed: ${title}: ${reason}`);
  if (sum.failed > 0) process.exitCode = 1;
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
}

/**
 * Runs the compiled tests of a folder below build/test with mocha.
 *
 * @param folder `unit`, `behaviour`
 * @param title what to call it
 * @param options.home the project, or a copy of it
 * @param options.node the program to run it with
 * @param options.spawn options of child_process.spawnSync: uid, gid, env
 * @param options.args further arguments for mocha
 * @param options.long the suite may take hours
 * @param options.files which of the files, by their paths
 */
export function runMocha(folder, title, options = {}) {
  const { home = root, node = process.execPath, spawn = {}, args = [], long = false } = options;
  const { files: wanted = /\.test\.js$/ } = options;
  const timeout = long ? LONG_TIMEOUT : SUITE_TIMEOUT;
  const compiled = join(home, 'build', 'test', folder);
  const files = filesBelow(compiled).filter((file) => wanted.test(file));
  say(`\n== ${title}`);
  if (files.length === 0) return nothing();
  const results = mkdtempSync(join(tmpdir(), 'dragonfly-jail-result-'));
  try {
    const result = join(results, 'tests.jsonl');
    const command = mochaCommand(home, result, args, files);
    return readCounts(
      title,
      result,
      runFor(node, command, { cwd: home, timeout, ...spawn }, results),
    );
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

function mochaCommand(home, result, args, files) {
  return [
    '--enable-source-maps',
    '--expose-gc',
    join(home, 'node_modules', 'mocha', 'bin', 'mocha.js'),
    ['--reporter', join(home, 'scripts', 'lib', 'mocha-reporter.mjs')],
    ['--reporter-option', `result=${result}`],
    ['--timeout', `${TEST_TIMEOUT}`],
    isDragonfly ? ['--require', join(home, 'build', 'test', 'support', 'hooks.js')] : [],
    process.env.CI ? ['--forbid-only'] : [],
    args,
    files,
  ].flat();
}

// The folder of the result belongs to whoever runs the tests.
function runFor(node, command, options, results) {
  if (options.uid !== undefined) chownSync(results, options.uid, options.gid);
  const settings = { stdio: 'inherit', killSignal: 'SIGKILL', ...options };
  return spawnSync(node, command, settings);
}

// A line a test, so that a run that was ended in the middle has said what it had done.
function readCounts(title, file, ended) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const tests = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  const counts = countTests(tests);
  const bad = ended.status !== 0 && counts.failed === 0;
  if (bad || ended.signal !== null) {
    const why = ended.error?.message ?? ended.signal ?? `exit code ${ended.status}`;
    say(`${title}: mocha ended with ${why}: counted as one failure`);
    fail(counts, title, `mocha ended with ${why}, after ${tests.at(-1)?.title ?? 'nothing'}`);
  }
  return counts;
}

function countTests(tests) {
  const counts = nothing();
  for (const { outcome, title, reason, ms } of tests) {
    counts[outcome]++;
    if (outcome === 'skipped') counts.reasons.push({ title, reason });
    if (outcome === 'failed') counts.failures.push({ title, reason });
    counts.tests.push({ [outcome]: title, ...(reason ? { reason } : { ms }) });
  }
  return counts;
}

/** The behaviour suite, its same promises, on the model of the DragonFly kernel. */
export function runOnModel({ args = [] } = {}) {
  const env = { ...process.env, DFJAIL_TEST_BACKEND: 'model' };
  const required = ['--require', at('build', 'test', 'support', 'model', 'world.js')];
  const options = { args: [...required, ...args], spawn: { env } };
  return runMocha('behaviour', 'behaviour, on the model of DragonFly', options);
}

/** Runs the native tests, programs that speak TAP: build/Release/*-test, and jail-selftest. */
export function runNativeTests() {
  const sum = nothing();
  for (const file of filesBelow(at('build', 'Release'))) {
    if (!/^([\w-]+-test|jail-selftest)$/.test(basename(file)) || !isExecutable(file)) continue;
    say(`\n== native: ${basename(file)}`);
    add(sum, runTap(file, argumentsOf(file), basename(file)));
  }
  return sum;
}

function argumentsOf(file) {
  return basename(file) === 'jail-selftest'
    ? ['--monitor', join(dirname(file), 'jail-monitor')]
    : [];
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs one program that speaks TAP, and shows and counts what it says. */
export function runTap(file, args, title) {
  const stdio = ['ignore', 'pipe', 'inherit'];
  const options = { cwd: root, stdio, encoding: 'utf8', timeout: SUITE_TIMEOUT };
  const ended = spawnSync(file, args, options);
  process.stdout.write(ended.stdout ?? '');
  const counts = countTap(ended.stdout ?? '', title);
  if (ended.status !== 0 && counts.failed === 0) {
    const how = `ended with ${ended.signal ?? `exit code ${ended.status}`}`;
    say(`${title} ${how}`);
    fail(counts, title, how);
  }
  return { ...counts, text: ended.stdout ?? '' };
}

/** Counts the lines of TAP; a plan (1..n) that was not fulfilled is a failure. */
export function countTap(text, title) {
  const counts = nothing();
  for (const line of text.split('\n')) {
    const [, verdict, description = ''] = /^(ok|not ok)\b(.*)$/.exec(line) ?? [];
    if (verdict === undefined) continue;
    const [, reason] = /#\s*SKIP\S*\s*(.*)$/i.exec(description) ?? [];
    if (reason !== undefined) {
      counts.skipped++;
      counts.reasons.push({ title: `${title}${description.split('#')[0]}`, reason });
    } else if (verdict === 'ok') counts.passed++;
    else fail(counts, title, line);
  }
  const [, planned] = /^1\.\.(\d+)/m.exec(text) ?? [];
  const seen = counts.passed + counts.failed + counts.skipped;
  const left = planned === undefined ? 0 : Math.max(Number(planned) - seen, 0);
  if (left > 0) {
    counts.failed += left;
    counts.failures.push({ title, reason: `${left} of ${planned} were not run` });
  }
  return counts;
}
