import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Jail, JailError } from 'dragonfly-jail';
import { needRootless, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// Working directory and program are looked up by names of the jail, and with no more rights than its root has: of pid 1,
// which an ordinary user's jail must not get at, it opens nothing.

describe('the names that a command starts by', () => {
  const jails = useJails();
  let jail: Jail;

  before(function () {
    skipOnDragonfly(this, 'nothing leads there from one process to another');
  });
  beforeEach(async () => {
    jail = await jails.create({ mounts: [...jails.root.mounts] });
  });

  it('lead to the jail’s own processes', async () => {
    const sleeper = jail.spawn('sleep', ['1000']);
    await once(sleeper, 'spawn');
    const inside = await pidInside('sleep');
    const { exitCode } = await jail.exec(`/proc/${inside}/exe`, ['0'], { argv0: 'sleep' });
    assert.equal(exitCode, 0);
    const { stdout } = await jail.exec('pwd', [], { cwd: `/proc/${inside}/cwd` });
    assert.equal(stdout, '/\n');
  });

  it('do not lead to the program of its first one', async () => {
    await assert.rejects(jail.exec('/proc/1/exe', [], { timeout: 2000 }), refused('exec'));
  });

  it('do not lead to the directories of its first one, which an ordinary user’s jail may not trace', async function () {
    needRootless(this);
    await assert.rejects(jail.exec('pwd', [], { cwd: '/proc/1/cwd' }), refused('cwd'));
    await assert.rejects(jail.exec('/proc/1/root/bin/sh', ['-c', ':']), refused('exec'));
  });

  async function pidInside(name: string): Promise<string> {
    const script = `for p in /proc/[0-9]*; do read c <$p/comm; [ "$c" = ${name} ] && echo \${p#/proc/}; done`;
    const { stdout } = await jail.exec('sh', ['-c', script]);
    return String(stdout).trim();
  }
});

function refused(step: string) {
  return (error: unknown) => {
    assert(error instanceof JailError);
    assert.deepEqual([error.code, Reflect.get(error, 'step')], ['EACCES', step]);
    return true;
  };
}
