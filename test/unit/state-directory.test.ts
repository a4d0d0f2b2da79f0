import assert from 'node:assert/strict';
import { stateDirectory } from '#internal/registry/state-dir.js';
import { refusesValue } from './refuses.js';

describe('the state directory', () => {
  it('is in /run for root, whatever the session is', () => {
    assert.equal(stateDirectory({}, 0), '/run/dragonfly-jail');
    assert.equal(stateDirectory({ XDG_RUNTIME_DIR: '/run/user/0' }, 0), '/run/dragonfly-jail');
  });

  it('is in the session’s own directory for everybody else, or in /tmp', () => {
    const env = { XDG_RUNTIME_DIR: '/run/user/7' };
    assert.equal(stateDirectory(env, 7), '/run/user/7/dragonfly-jail');
    assert.equal(stateDirectory({}, 7), '/tmp/dragonfly-jail-7');
    assert.equal(stateDirectory({ XDG_RUNTIME_DIR: 'relative' }, 7), '/tmp/dragonfly-jail-7');
  });

  it('is where the environment says, if that is an absolute path', () => {
    assert.equal(stateDirectory({ DRAGONFLY_JAIL_STATE: '/x' }, 0), '/x');
    refusesValue(() => stateDirectory({ DRAGONFLY_JAIL_STATE: 'x' }, 0), /DRAGONFLY_JAIL_STATE/);
  });
});
