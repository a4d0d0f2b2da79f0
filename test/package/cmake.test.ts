import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skip } from '../support/environment.js';
import { node, project } from './installed.js';

const CMAKE_JS = join(project, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
const EXEC = `
  import { Jail } from 'dragonfly-jail';
  import { prepareThinRoot } from 'dragonfly-jail/rootfs';
  import { join } from 'node:path';
  const path = join(process.env.WORK, 'root');
  const { mounts } = await prepareThinRoot(path);
  const jail = await Jail.create({ path, mounts, hostname: 'cmake.test' });
  console.log((await jail.exec('uname', ['-n'])).stdout.trim());
  await jail.stop();`;

describe('the native part made by cmake-js', function () {
  this.timeout(180_000);
  let work: string;

  before(function () {
    if (spawnSync('cmake', ['--version']).status !== 0) skip(this, 'cmake is not installed');
    work = mkdtempSync(join(tmpdir(), 'dragonfly-jail-cmake-'));
  });

  after(() => {
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  });

  it('is the same addon, with the monitor beside it, and makes jails', () => {
    const args = [CMAKE_JS, 'compile', '-d', join(project, 'native'), '-O', work];
    const built = node(args, { cwd: project });
    assert.equal(built.status, 0, built.stdout + built.stderr);
    const folder = join(work, 'Release');
    for (const name of ['jail.node', 'jail-monitor']) assert(readdirSync(folder).includes(name));
    const env = { ...process.env, DRAGONFLY_JAIL_NATIVE: folder, WORK: work };
    const run = node(['--input-type=module', '-e', EXEC], { cwd: project, env });
    assert.equal(run.stdout, 'cmake.test\n', run.stderr);
  });
});
