// Builds the addon and the monitor. Also used from the published package, where there is no node_modules of our own.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, type as systemType } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, isFresh, writeStamp } from './fresh.mjs';
import { problemOf } from './manifest.mjs';
import { at, giveUp, runQuietly, say } from './project.mjs';

// On DragonFly the addon starts a program of its own for recover().
export const PROGRAMS = ['jail-monitor', ...(systemType() === 'DragonFly' ? ['jail-recover'] : [])];
const OUTPUTS = ['jail.node', ...PROGRAMS].map((name) => at('build', 'Release', name));
const STAMP = at('build', '.native-stamp');
const SOURCE = /\.(cc|hh|h|S|mjs)$/;

/** Whether both parts are there, whatever their age. */
export function isNativeBuilt() {
  return OUTPUTS.every((file) => existsSync(file));
}

/**
 * Builds what is missing or older than its sources; ends the script with the compiler's output when that fails.
 *
 * @param options.offline Node's headers have to be on the machine; otherwise node-gyp fetches them
 */
export function buildNative({ offline = false } = {}) {
  const folders = [at('native'), at('test', 'native')];
  const sources = folders.flatMap(filesBelow).filter((file) => SOURCE.test(file));
  if (isNativeBuilt() && isFresh(STAMP, [at('binding.gyp'), ...sources])) return;
  say('building the native part …');
  const startedAt = Date.now();
  // "configure build", never "rebuild": that would remove all of build/, the compiled tests included.
  const args = [nodeGyp(), 'configure', 'build', '-j', 'max', ...nodeDirectory(offline)];
  if (!runQuietly(process.execPath, args) || !isNativeBuilt()) {
    giveUp('The native part could not be built.', buildHint());
  }
  writeStamp(STAMP, startedAt);
}

/** Whether a prebuilt addon and monitor for this system are there, are what they were made as, and load. */
export async function prebuildFits() {
  const tuple = await hostTuple();
  if (tuple === null) return false;
  const folder = at('prebuilds', tuple);
  if (!existsSync(folder) || problemOf(folder, tuple) !== null) return false;
  try {
    createRequire(import.meta.url)(join(folder, 'jail.node'));
    return true;
  } catch {
    return false; // an older C library: build it here
  }
}

// The package's own word for what this is; a checkout that was never compiled has no prebuilds either.
async function hostTuple() {
  const module = at('dist', 'loader', 'tuple.js');
  return existsSync(module) ? (await import(pathToFileURL(module).href)).hostTuple() : null;
}

// Ours in a checkout; npm's own when installed as a dependency.
function nodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    const bundled = process.env.npm_config_node_gyp;
    if (bundled && existsSync(bundled)) return bundled;
    return giveUp('node-gyp was not found.', 'run this by way of npm install');
  }
}

/** The folder of Node's headers: beside Node itself, where they are sure to fit, or in node-gyp's cache; null: there are none. */
export function headersFolder() {
  if (process.env.npm_config_nodedir) return process.env.npm_config_nodedir;
  const prefix = dirname(dirname(process.execPath));
  return [prefix, nodeGypsOwn()].find(hasHeaders) ?? null;
}

// What an earlier build of some other package has fetched.
function nodeGypsOwn() {
  const caches = process.env.npm_config_devdir ?? join(homedir(), '.cache', 'node-gyp');
  return join(caches, process.versions.node);
}

function hasHeaders(folder) {
  return existsSync(join(folder, 'include', 'node', 'node_api.h'));
}

// Told of a folder, node-gyp fetches nothing.
function nodeDirectory(offline) {
  const folder = headersFolder();
  if (folder !== null) return [`--nodedir=${folder}`];
  if (!offline) return [];
  return giveUp(
    'Node’s headers (node_api.h) are not on this machine, and an install script of this package fetches nothing.',
    'install them (Debian: libnode-dev), or name the folder that has include/node: npm install --nodedir=FOLDER',
  );
}

function buildHint() {
  const packages = {
    DragonFly: 'it needs a C++17 compiler, gmake and python3: pkg install gmake python3',
    FreeBSD: 'it needs a C++17 compiler, gmake and python3: pkg install gmake python3',
    Linux: 'it needs a C++17 compiler, make and python3: apt-get install g++ make python3',
  };
  return packages[systemType()] ?? 'it needs a C++17 compiler, make and python3';
}
