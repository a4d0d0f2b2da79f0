// A folder for the bench: programs in C, the root of its jails. Gone with the bench.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
const sources = fileURLToPath(new URL('../programs', import.meta.url));

/** The package as it is built here. */
export const packageUrl = new URL('../../dist/index.js', import.meta.url).href;

/** Where everything is; call `remove()` at the end. */
export function makePlace() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dfjail-bench-')));
  const root = join(folder, 'root');
  for (const name of ['', 'usr', 'dev', 'proc', 'tmp']) mkdirSync(join(root, name));
  process.env.DRAGONFLY_JAIL_STATE = stateFolder(folder);
  const programs = {};
  const wanted = isDragonfly ? ['noop', 'sleeper'] : ['noop', 'pour', 'sleeper'];
  for (const name of wanted) {
    programs[name] = compile(folder, name, ['-static']);
    copyFileSync(programs[name], join(root, name));
  }
  return {
    folder,
    root,
    ...programs,
    compile: (name, flags) => compile(folder, name, flags),
    remove: () => {
      for (const path of [folder, stateFolder(folder)])
        rmSync(path, { recursive: true, force: true });
    },
  };
}

const TMPFS = 0x01021994; // statfs(2)

const isDragonfly = systemType() === 'DragonFly';

// In memory, as /run is on every host that was booted; in some containers it is not.
function stateFolder(folder) {
  if (process.geteuid() !== 0) return join(folder, 'state');
  if (isDragonfly) return join('/var/run', basename(folder));
  const parent = ['/run', '/dev/shm'].find((path) => statfsSync(path).type === TMPFS);
  return join(parent ?? '/run', basename(folder));
}

// By scripts/test-programs.mjs, for machines without a compiler.
function builtBefore(name) {
  const places = [
    process.env.DFJAIL_TEST_PROGRAMS,
    join(project, 'build', 'test-programs', `${systemType().toLowerCase()}-${process.arch}`),
  ];
  const found = places.filter(Boolean).map((folder) => join(folder, name));
  return found.find((file) => existsSync(file)) ?? null;
}

function compile(folder, name, flags = []) {
  const program = join(folder, name);
  const built = builtBefore(name);
  if (built !== null) {
    copyFileSync(built, program);
    return program;
  }
  const args = ['-O2', '-Wall', '-Werror', ...flags, '-o', program, join(sources, `${name}.c`)];
  const done = spawnSync('cc', args, { stdio: 'inherit' });
  if (done.status !== 0)
    throw new Error(`cc could not make ${name}.c: ${done.error ?? 'see above'}`);
  return program;
}

/** A jail's specification: four mounts, which are those that the rivals make too. */
export function jailSpec(place, more = {}) {
  return {
    path: place.root,
    hostname: 'bench',
    mounts: [
      { type: 'nullfs', source: '/usr', target: '/usr', readOnly: true },
      { type: 'devfs', target: '/dev' },
      { type: 'procfs', target: '/proc' },
      { type: 'tmpfs', target: '/tmp' },
    ],
    ...more,
  };
}

/** A jail with nothing but a root. */
export function bareSpec(place, more = {}) {
  return { path: place.root, hostname: 'bench', ...more };
}
