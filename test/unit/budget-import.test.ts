import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { skip } from '../support/environment.js';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

// One that passes the names on, one with the code.
const MOST_FILES = 2;

// Node takes milliseconds to load them, and there is no use for them yet.
const LATE = ['net', 'stream', 'tty'];

interface Loaded {
  /** Files of the package. */
  readonly files: readonly string[];
  /** Shared objects of the process. */
  readonly libraries: readonly string[];
  /** Modules of Node's. */
  readonly builtins: readonly string[];
}

// V8 says itself which scripts there are, when it is asked for the coverage of each.
function load(entry: string): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'dragonfly-jail-import-'));
  try {
    const program = `await import(${JSON.stringify(entry)});
      const builtins = process.moduleLoadList.map((name) => name.replace(/^NativeModule /, ''));
      const { sharedObjects } = process.report.getReport();
      console.log(JSON.stringify({ libraries: sharedObjects, builtins }));`;
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    const options = { cwd: PROJECT, env, encoding: 'utf8' } as const;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], options);
    assert.equal(run.status, 0, run.stderr);
    const [report = ''] = readdirSync(folder);
    const { result } = JSON.parse(readFileSync(join(folder, report), 'utf8'));
    const urls = (result as { url: string }[]).map(({ url }) => url);
    return {
      files: urls.filter((url) => url.endsWith('.js')),
      ...JSON.parse(run.stdout),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function entryPoints(): string[] {
  const { exports } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const names = Object.keys(exports).filter((name) => !name.endsWith('.json'));
  return names.map((name) => name.replace('.', 'dragonfly-jail'));
}

describe('import of the package', function () {
  this.timeout(30_000);

  it(`reads at most ${MOST_FILES} files`, function () {
    if (systemType() === 'DragonFly') skip(this, 'there is no esbuild that joins them');
    const { files } = load('dragonfly-jail');
    assert(files.length > 0);
    const hint = 'npm run compile joins what tsc has compiled';
    assert(files.length <= MOST_FILES, `${files.length} files (${hint}):\n${files.join('\n')}`);
  });

  it('leaves streams and sockets to when they are needed', function () {
    if (systemType() === 'DragonFly') skip(this, 'there is no esbuild that joins the files');
    const { builtins } = load('dragonfly-jail');
    assert(builtins.includes('events'), builtins.join(' '));
    const atStart = load('node:path').builtins; // another Node may begin with more
    const early = LATE.filter((name) => builtins.includes(name) && !atStart.includes(name));
    assert.deepEqual(early, []);
  });

  it('has no part of DragonFly’s backend before a program asks for it there', function () {
    if (systemType() === 'DragonFly') skip(this, 'it is there already');
    const { files } = load('dragonfly-jail');
    assert.deepEqual(
      files.filter((file) =>
        /bundle\/dragonfly\.js|backends\/dragonfly\/(?!jail-list|kernel-address|bytes)/.test(file),
      ),
      [],
    );
    const program = `import os from 'node:os';
      import { syncBuiltinESMExports } from 'node:module';
      os.type = () => 'DragonFly';
      syncBuiltinESMExports();
      const { JailError, listJails } = await import('dragonfly-jail');
      try { listJails(); } catch (error) { console.log(error instanceof JailError, error.message); }`;
    const options = { cwd: PROJECT, encoding: 'utf8' } as const;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], options);
    assert.deepEqual(
      [run.stdout, run.stderr],
      ['true The addon was not compiled for DragonFly\n', ''],
    );
  });

  for (const entry of entryPoints()) {
    it(`loads no native code: ${entry}`, () => {
      const { libraries } = load(entry);
      assert(libraries.length > 0);
      const native = libraries.filter((file) => file.endsWith('.node'));
      assert.deepEqual(native, []);
    });
  }
});
