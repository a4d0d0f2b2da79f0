// What npm run test:native runs: the native part built with sanitizers and for valgrind, and the fuzzers.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { machine, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { headersFolder } from './native.mjs';
import { at, root, runQuietly, say } from './project.mjs';
import { add, fail, nothing, runMocha, runTap } from './suites.mjs';

export const CHECKS = at('build', 'checks');
const REPORTS = join(CHECKS, 'reports');
const FINDINGS = at('build', 'findings');
const CORPUS = at('test', 'fixtures', 'corpus');
const KINDS = ['address', 'thread', 'plain'];
const NATIVE_FUZZERS = ['protocol-fuzz', 'users-fuzz', 'login-fuzz', 'entry-fuzz', 'proc-fuzz'];
const AT_ONCE = 2;
const TEXT = { encoding: 'utf8' };
// Tests that call what the addon has.
const LIVES = /(create|spawn|pty|listing|processes|persist|users|workers|lifetime)\.test\.js$/;
// Beyond its seconds, for the start and for what is kept.
const SLACK = 120;

/** A reason why this cannot run here; null when it can. In CI nothing may be missing: there it fails instead. */
export function missing(programs) {
  if (process.platform !== 'linux') return 'the sanitizers are for Linux';
  const absent = programs.filter((name) => spawnSync(name, ['--version']).error !== undefined);
  return absent.length === 0 ? null : `not installed: ${absent.join(', ')}`;
}

export function skipped(title, reason) {
  if (process.env.CI) {
    say(`${title}: ${reason}: in CI that is a failure`);
    const counts = nothing();
    fail(counts, title, reason);
    return counts;
  }
  return { ...nothing(), skipped: 1, reasons: [{ title, reason }] };
}

export function verdict(title, good) {
  console.log(`${good ? 'ok' : 'not ok'} - ${title}`);
  const counts = nothing();
  if (good) counts.passed++;
  else fail(counts, title, 'see above');
  return counts;
}

function build(kind) {
  const folder = join(CHECKS, kind);
  mkdirSync(folder, { recursive: true });
  const settings = [
    `-DKIND=${kind}`,
    `-DREPORTS=${REPORTS}`,
    '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', // for clang-tidy
    `-DNODE_HEADERS=${join(headersFolder() ?? '/usr', 'include', 'node')}`,
  ];
  const env = { ...process.env, CXX: 'clang++' };
  const configured = runQuietly('cmake', ['-S', at('test', 'native'), '-B', folder, ...settings], {
    env,
  });
  return configured && runQuietly('make', ['-C', folder, `-j${AT_ONCE}`]);
}

// A program without stderr writes its reports there.
function reports() {
  // Valgrind makes the file even when it has nothing to say.
  const texts = readdirSync(REPORTS).map((file) => readFileSync(join(REPORTS, file), 'utf8'));
  const told = texts.filter((text) => text !== '');
  for (const text of told) say(text);
  return told.length;
}

function tap(kind, name, { args = [], wrap = [] } = {}) {
  const [file, ...rest] = [...wrap, join(CHECKS, kind, name), ...args];
  say(`\n== ${[basename(file), ...(wrap.length > 0 ? [name] : []), `(${kind})`].join(' ')}`);
  return runTap(file, rest, name);
}

/** The tests in C++, with each of the sanitizers, and the codecs under valgrind. */
export function runSanitized() {
  const lacking = missing(['clang++', 'cmake', 'make']);
  if (lacking !== null) return skipped('sanitizers', lacking);
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  say('building the native part with sanitizers …');
  const sum = nothing();
  for (const kind of KINDS) add(sum, verdict(`the native part compiles (${kind})`, build(kind)));
  if (sum.failed > 0) return sum;
  const monitor = (kind) => ({ args: ['--monitor', join(CHECKS, kind, 'jail-monitor')] });
  for (const name of ['processes-test', 'netlink-test', 'threads-test'])
    add(sum, tap('address', name));
  add(sum, tap('address', 'jail-selftest', monitor('address')));
  add(sum, tap('thread', 'threads-test'));
  add(sum, runAddon());
  add(sum, runValgrind());
  add(sum, verdict('no sanitizer has reported anything', reports() === 0));
  return sum;
}

// The addon in Node, and with it the monitor: whole lives of jails. Node leaks at its end whatever its addons do, so leaks
// are not looked for here: what stays behind in memory is counted by test/behaviour/leaks.test.ts.
function runAddon() {
  const runtime = spawnSync('clang++', [`-print-file-name=libclang_rt.asan-${machine()}.so`], TEXT);
  const env = {
    ...process.env,
    LD_PRELOAD: runtime.stdout.trim(),
    DRAGONFLY_JAIL_NATIVE: join(CHECKS, 'address'),
    ASAN_OPTIONS: `detect_leaks=0:log_path=${join(REPORTS, 'addon')}`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${join(REPORTS, 'addon')}`,
  };
  const options = { files: LIVES, spawn: { env } };
  return runMocha('behaviour', 'behaviour, addon and monitor with sanitizers', options);
}

// The codecs, the protocol and the password file in the test; in the monitor what is done between fork and exec.
function runValgrind() {
  const lacking = missing(['valgrind']);
  if (lacking !== null) return skipped('valgrind', lacking);
  const valgrind = ['valgrind', '-q', '--error-exitcode=9'];
  const monitor = join(CHECKS, 'plain', 'jail-monitor');
  const wrapper = join(CHECKS, 'monitor-in-valgrind');
  const log = `--log-file=${join(REPORTS, 'valgrind.%p')}`;
  const command = [...valgrind, log, monitor].map((word) => `'${word}'`).join(' ');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`);
  chmodSync(wrapper, 0o755);
  const wrap = [...valgrind, '--leak-check=full'];
  return tap('plain', 'jail-selftest', { args: ['--monitor', wrapper], wrap });
}

/**
 * Every fuzzer, two at a time, from the corpus that is kept.
 *
 * @param seconds of each
 */
export async function runFuzzers(seconds) {
  const sum = nothing();
  const { targets } = await import(at('build', 'test', 'fuzz', 'targets', 'index.js'));
  const jobs = targets.map(({ name }) => ({ name, command: typescriptFuzzer(name, seconds) }));
  const lacking = missing(['clang++', 'cmake', 'make']);
  if (lacking !== null) add(sum, skipped('fuzzers in C++', lacking));
  else jobs.push(...NATIVE_FUZZERS.map((name) => ({ name, command: nativeFuzzer(name, seconds) })));
  say(`\n== fuzzers, ${seconds} s each`);
  mkdirSync(FINDINGS, { recursive: true });
  const next = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift())
      add(sum, await fuzz(job, seconds));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return sum;
}

function typescriptFuzzer(name, seconds) {
  const main = at('build', 'test', 'fuzz', 'main.js');
  return () => [process.execPath, '--enable-source-maps', main, name, '--seconds', `${seconds}`];
}

// libFuzzer adds what it finds to the first folder: not to the one that is kept.
function nativeFuzzer(name, seconds) {
  const limits = [
    `-max_total_time=${seconds}`,
    '-timeout=10',
    '-rss_limit_mb=1024',
    `-artifact_prefix=${FINDINGS}/`,
  ];
  return (found) => {
    if (existsSync(join(CORPUS, name))) cpSync(join(CORPUS, name), found, { recursive: true });
    return [join(CHECKS, 'address', name), ...limits, '-print_final_stats=1', found];
  };
}

function fuzz({ name, command }, seconds) {
  const found = mkdtempSync(join(tmpdir(), 'dragonfly-jail-fuzz-'));
  const [file, ...args] = command(found);
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: root,
      timeout: (seconds + SLACK) * 1000,
      killSignal: 'SIGKILL',
    });
    const output = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => output.push(data));
    child.on('error', (error) => output.push(Buffer.from(`${error}\n`)));
    child.on('close', (code) => {
      rmSync(found, { recursive: true, force: true });
      const text = Buffer.concat(output).toString();
      if (code !== 0) say(text.slice(-8000));
      resolve(verdict(`${name}: ${summary(text)}`, code === 0));
    });
  });
}

// One line of either kind of fuzzer.
function summary(text) {
  const [line] = /^(Done \d+ runs.*|[\w-]+: \d+ runs in .*)$/m.exec(text) ?? ['no figures'];
  return line.replace(/^[\w-]+: /, '');
}
