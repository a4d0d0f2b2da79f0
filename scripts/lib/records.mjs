// The records of runs on a DragonFly kernel, in test/fixtures/recordings: what they say, and whether it is still so.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, machine, release, type as systemType } from 'node:os';
import { join } from 'node:path';
import { changedSince, hashesOf, selftestFiles, suiteFiles } from './dragonfly-files.mjs';
import { at, root } from './project.mjs';
import { countTap } from './suites.mjs';

const FOLDER = at('test', 'fixtures', 'recordings');
// Beside what was packed for another machine: what it was made of.
const ORIGIN = at('build', 'origin.json');

/** What this checkout, or the one that this was packed from, was made of. */
export function originOf() {
  if (existsSync(ORIGIN)) return JSON.parse(readFileSync(ORIGIN, 'utf8'));
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim();
  return {
    commit: git('rev-parse', 'HEAD') || null,
    changed: (git('status', '--porcelain', '--', 'native', 'src') ?? '') !== '',
    selftest: hashesOf(selftestFiles()),
    suites: hashesOf(suiteFiles()),
  };
}

/** The machine, in words. */
function describeMachine() {
  return {
    system: `${systemType()} ${release()} ${machine()}`,
    processors: availableParallelism(),
    node: process.version,
  };
}

/**
 * Puts what came of one suite into a record; what it has of others stays, unless it is of another origin or machine.
 *
 * @param file   the record
 * @param suite  its name
 * @param counts of {@link runMocha}
 */
export function record(file, suite, { passed, failed, skipped, tests }) {
  const { commit, changed, suites: sources } = originOf();
  const about = { ...describeMachine(), commit, changed, sources };
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  const same = before !== null && Object.keys(about).every((key) => equal(before[key], about[key]));
  const recorded = new Date().toISOString();
  const suites = { ...(same ? before.suites : {}) };
  suites[suite] = { recorded, passed, failed, skipped, tests };
  writeFileSync(file, `${textOf({ ...about, suites })}\n`);
}

function equal(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

// A test, or a file, a line: so that two records can be compared.
function textOf({ suites, ...about }) {
  const whole = Object.entries(suites).map(([name, { tests, ...counts }]) => {
    const rows = tests.map((test) => `   ${JSON.stringify(test)}`);
    const head = JSON.stringify(counts).slice(0, -1);
    return `  ${JSON.stringify(name)}: ${head}, "tests": [\n${rows.join(',\n')}\n  ]}`;
  });
  const head = JSON.stringify(about, null, 1).slice(0, -2);
  return `${head},\n "suites": {\n${whole.join(',\n')}\n }\n}`;
}

/** The comments that a record of the self-test begins with. */
export function selftestHead(what) {
  const { commit, changed, selftest } = originOf();
  const { system, processors } = describeMachine();
  return [
    `# ${what}, on ${system} with ${processors} CPU(s), recorded ${new Date().toISOString()}`,
    `# source commit: ${commit}${changed ? ', and what was not committed' : ''}`,
    ...Object.entries(selftest).map(([path, hash]) => `# source ${hash} ${path}`),
  ];
}

/** All records of the suites. */
export function suiteRecords() {
  return recordsLike(/^suite-.*\.json$/).map(({ name, text }) => ({ name, ...JSON.parse(text) }));
}

/** All records of the self-test: its counts, and the sources of those that tell. */
export function selftestRecords() {
  return recordsLike(/^selftest-.*\.tap$/).map(({ name, text }) => {
    const [, commit = null] = /^# source commit: (\w+)/m.exec(text) ?? [];
    const sources = [...text.matchAll(/^# source ([0-9a-f]{64}) (\S+)$/gm)];
    const [, processors] = /with (\d+) CPU/.exec(text) ?? [];
    const [, recorded] = /recorded (\S+)/.exec(text) ?? [];
    const hashes = Object.fromEntries(sources.map(([, hash, path]) => [path, hash]));
    const { passed, failed, skipped } = countTap(text, name);
    return {
      ...{ name, commit, recorded, processors: Number(processors) },
      ...{ passed, failed, skipped, sources: sources.length > 0 ? hashes : null },
    };
  });
}

function recordsLike(pattern) {
  const names = readdirSync(FOLDER).filter((name) => pattern.test(name));
  return names.sort().map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));
}

/** What has changed since each record was taken; null: it does not say what it is about. */
export function staleness() {
  const told = selftestRecords().map((one) => [one, selftestFiles()]);
  const suites = suiteRecords().map((one) => [one, suiteFiles()]);
  return [...told, ...suites].map(([{ name, sources, commit }, files]) => ({
    name,
    changed: sources ? changedSince(sources, files) : changedSinceCommit(commit, files),
  }));
}

// For records from before there were hashes in them; null: nobody knows.
function changedSinceCommit(commit, files) {
  if (commit === null) return null;
  const args = ['diff', '--name-only', commit, '--', ...files];
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.split('\n').filter((line) => line !== '') : null;
}
