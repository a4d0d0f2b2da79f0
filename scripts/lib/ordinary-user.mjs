// What it takes to run the tests a second time as somebody who is not root.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, root, say } from './project.mjs';

const ID = 65534; // nobody and nogroup on every system that we know

// Tools that are not needed to run tests, and large.
const LEFT_BEHIND = [
  '@biomejs',
  '@esbuild',
  '@types',
  'clang-format',
  'cmake-js',
  'esbuild',
  'node-gyp',
  'typescript',
];

// A probe: can this user read the checkout and run what was built?
const PROBE = `
  const { accessSync, constants } = require('node:fs');
  const { join } = require('node:path');
  for (const part of ['package.json', 'dist', 'build/test', 'node_modules/mocha', 'scripts/lib']) {
    accessSync(join(process.argv[1], part), constants.R_OK);
  }
  accessSync(join(process.argv[1], 'build/Release/jail-monitor'), constants.X_OK);
`;

/**
 * Calls `action` with the options for {@link runMocha} that make the tests run as an ordinary user, in the checkout if
 * that user can read it, else in a copy; everything is removed afterwards.
 */
export function asOrdinaryUser(action) {
  const folder = mkdtempSync(join(tmpdir(), 'dragonfly-jail-user-'));
  try {
    chmodSync(folder, 0o755);
    const spawn = { uid: ID, gid: ID, env: environment(folder) };
    return action({ spawn, ...readableProject(folder, spawn) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function environment(folder) {
  const env = { ...process.env };
  // Where root keeps its things is of no use, and often not readable.
  for (const name of ['DRAGONFLY_JAIL_STATE', 'TMPDIR', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME']) {
    delete env[name];
  }
  const home = ownFolder(folder, 'home');
  const runtime = ownFolder(folder, 'run');
  return { ...env, HOME: home, XDG_RUNTIME_DIR: runtime, USER: 'nobody', LOGNAME: 'nobody' };
}

function ownFolder(parent, name) {
  const folder = join(parent, name);
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, ID, ID);
  return folder;
}

function readableProject(folder, spawn) {
  const node = runnableNode(folder, spawn);
  const probe = spawnSync(node, ['-e', PROBE, root], { ...spawn, cwd: '/', stdio: 'ignore' });
  if (probe.status === 0) return { node, home: root };
  say(`user ${ID} cannot read ${root}: running in a copy`);
  return { node, home: copyProject(join(folder, 'project')) };
}

// Node itself may lie in root's home directory.
function runnableNode(folder, spawn) {
  const tried = spawnSync(process.execPath, ['-e', '0'], { ...spawn, cwd: '/', stdio: 'ignore' });
  if (tried.status === 0) return process.execPath;
  const copy = join(folder, 'node');
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}

function copyProject(target) {
  const filter = (source) => !LEFT_BEHIND.some((name) => source === at('node_modules', name));
  const parts = ['package.json', 'dist', 'node_modules', 'scripts', 'build/test', 'test'];
  if (existsSync(at('build', 'examples'))) parts.push('build/examples');
  for (const part of parts) {
    cpSync(at(part), join(target, part), { recursive: true, filter });
  }
  const programs = (source) => !/\/obj(\.target)?$|\/\.deps$/.test(source);
  const options = { recursive: true, filter: programs };
  cpSync(at('build', 'Release'), join(target, 'build', 'Release'), options);
  makeReadable(target);
  return target;
}

// The checkout may have been made with a umask of 077.
function makeReadable(folder) {
  spawnSync('chmod', ['-R', 'a+rX', folder], { stdio: 'inherit' });
}
