import assert from 'node:assert/strict';
import { DragonflyBackend } from '#internal/backends/dragonfly/index.js';
import type { KernelReads } from '#internal/backends/dragonfly/kernel-reads.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { LinuxBackend } from '#internal/backends/linux/index.js';
import { stateDirectory } from '#internal/registry/state-dir.js';
import { refusesValue } from './refuses.js';

function ofThisUser(runFolder: string): string {
  const uid = process.geteuid?.() ?? 0;
  return uid === 0 ? `${runFolder}/dragonfly-jail` : `/tmp/dragonfly-jail-${uid}`;
}

describe('the state directory', () => {
  it('is where the kernel’s own programs keep such things: DragonFly has no /run', () => {
    assert.equal(new LinuxBackend().stateDirectory({}), ofThisUser('/run'));
    const reads = { layout: layout59 } as KernelReads;
    assert.equal(new DragonflyBackend(reads).stateDirectory({}), ofThisUser('/var/run'));
  });

  it('is in /run for root, whatever the session is', () => {
    assert.equal(stateDirectory('/run', {}, 0), '/run/dragonfly-jail');
    assert.equal(
      stateDirectory('/run', { XDG_RUNTIME_DIR: '/run/user/0' }, 0),
      '/run/dragonfly-jail',
    );
  });

  it('is in the session’s own directory for everybody else, or in /tmp', () => {
    const env = { XDG_RUNTIME_DIR: '/run/user/7' };
    assert.equal(stateDirectory('/run', env, 7), '/run/user/7/dragonfly-jail');
    assert.equal(stateDirectory('/run', {}, 7), '/tmp/dragonfly-jail-7');
    assert.equal(
      stateDirectory('/run', { XDG_RUNTIME_DIR: 'relative' }, 7),
      '/tmp/dragonfly-jail-7',
    );
  });

  it('is where the environment says, if that is an absolute path', () => {
    assert.equal(stateDirectory('/run', { DRAGONFLY_JAIL_STATE: '/x' }, 0), '/x');
    refusesValue(
      () => stateDirectory('/run', { DRAGONFLY_JAIL_STATE: 'x' }, 0),
      /DRAGONFLY_JAIL_STATE/,
    );
  });
});
