import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type as systemType, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTuple } from '#internal/loader/tuple.js';
import { isRoot } from '../support/environment.js';
import { EmptyProject, pack, project, script } from './installed.js';

const MINUTES = 60_000;
const PACKAGE = join('node_modules', 'dragonfly-jail');
const PROBE = `
  import { probe } from 'dragonfly-jail';
  console.log(JSON.stringify([probe().backend, probe().features.jails]));`;
const PROBED = `["${systemType().toLowerCase()}",{"available":true}]\n`;
const LIST = "import { listJails } from 'dragonfly-jail'; listJails();";

describe('the package from the registry', function () {
  this.timeout(4 * MINUTES);
  let tarballs: string;
  let tarball: string;

  before(() => {
    script('prebuild.mjs');
    tarballs = mkdtempSync(join(tmpdir(), 'dragonfly-jail-tarball-'));
    tarball = pack(tarballs);
  });

  after(() => rmSync(tarballs, { recursive: true, force: true }));

  it('works with --ignore-scripts, without a compiler and without a network', () => {
    using installed = new EmptyProject();
    const { status, stderr } = installed.install(tarball, ['--ignore-scripts']);
    assert.equal(status, 0, stderr);
    assert(!existsSync(join(installed.folder, PACKAGE, 'build')), 'nothing was compiled');
    const { stdout, stderr: complaint } = installed.run(PROBE, { env: {} });
    assert.equal(complaint, '');
    assert.equal(stdout, PROBED);
  });

  it('runs the demo where nothing can be written, for whoever is asked', () => {
    using installed = new EmptyProject();
    installed.install(tarball, ['--ignore-scripts']);
    installed.copy(join(project, 'build', 'examples'));
    installed.freeze();
    const users = isRoot ? [{}, { uid: 65534, gid: 65534 }] : [{}];
    for (const user of users) {
      const env = { PATH: process.env.PATH, HOME: '/nonexistent' };
      const program = `await import(${JSON.stringify(join(installed.folder, 'demo.js'))});`;
      const { status, stdout, stderr } = installed.run(program, { env, ...user });
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /created jail \d+/);
    }
  });

  it('compiles nothing when its own binaries fit, even where scripts may run', () => {
    using installed = new EmptyProject();
    const { status, stderr } = installed.install(tarball, []);
    assert.equal(status, 0, stderr);
    assert(!existsSync(join(installed.folder, PACKAGE, 'build')), 'nothing was compiled');
  });

  it('compiles from source with node-gyp where none fits', () => {
    using installed = new EmptyProject();
    installed.install(tarball, ['--ignore-scripts']);
    rmSync(join(installed.folder, PACKAGE, 'prebuilds'), { recursive: true });
    assert.match(installed.run(LIST).stderr, /brought by the package\): there is no jail\.node/);
    const { status, stdout, stderr } = installed.rebuild();
    assert.equal(status, 0, stdout + stderr);
    assert.deepEqual(installed.run(PROBE).stdout, PROBED);
  });

  it('does not take a binary that was changed for one that fits', () => {
    using installed = new EmptyProject();
    installed.install(tarball, ['--ignore-scripts']);
    const monitor = join(installed.folder, PACKAGE, 'prebuilds', hostTuple(), 'jail-monitor');
    writeFileSync(monitor, Buffer.concat([readFileSync(monitor), Buffer.from('!')]));
    const { status } = installed.rebuild();
    assert.equal(status, 0);
    assert(existsSync(join(installed.folder, PACKAGE, 'build', 'Release', 'jail.node')));
  });

  it('brings binaries for this system, under its own name, with their hashes', () => {
    using installed = new EmptyProject();
    installed.install(tarball, ['--ignore-scripts']);
    const folder = join(installed.folder, PACKAGE, 'prebuilds', hostTuple());
    assert.deepEqual(readdirSync(folder).sort(), ['jail-monitor', 'jail.node', 'manifest.json']);
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    assert.equal(manifest.tuple, hostTuple());
    assert.match(manifest.files['jail.node'].sha256, /^[0-9a-f]{64}$/);
  });
});
