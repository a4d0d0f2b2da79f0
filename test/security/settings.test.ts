import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needRoot, nodePath, packageUrl, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// Settings of the host that decide whether a jail can be safe. They are not touched: the programs of these tests see
// others, in a mount or pid namespace of their own.

interface Told {
  code?: string;
  message?: string;
  stdout?: string;
  jails: { available: boolean; reason?: string; hint?: string };
}

describe('a host whose settings would open jails', () => {
  const jails = useJails();

  before(function () {
    skipOnDragonfly(this, 'these settings are Linux’s');
    needRoot(this); // others cannot make such a namespace without becoming its root
  });

  it('is refused when those who change their user can be looked into', async () => {
    const { code, message, jails } = await under(...dumpable(1));
    assert.equal(code, 'ERR_JAIL_UNSUPPORTED');
    assert.match(message ?? '', /fs\.suid_dumpable=1 .*sysctl fs\.suid_dumpable=0/);
    assert.equal(jails.available, false);
    assert.equal(jails.hint, 'sysctl fs.suid_dumpable=0, or 2');
  });

  it('is refused when it lets nobody run a file in memory', async () => {
    const set = 'echo 2 >/proc/sys/vm/memfd_noexec';
    const { code, message, jails } = await under(['--pid', '--fork', '--mount-proc'], set);
    assert.equal(code, 'ERR_JAIL_UNSUPPORTED');
    assert.match(message ?? '', /sysctl vm\.memfd_noexec=1/);
    assert.match(jails.reason ?? '', /vm\.memfd_noexec is 2/);
  });

  it('is none when it makes files in memory such as cannot be run unless that is asked for', async () => {
    const set = 'echo 1 >/proc/sys/vm/memfd_noexec';
    const { stdout } = await under(['--pid', '--fork', '--mount-proc'], set);
    assert.equal(stdout, 'works\n');
  });

  it('is none when it dumps them for root alone: none is, until it is a command', async () => {
    const { stdout, jails } = await under(...dumpable(2));
    assert.equal(stdout, 'works\n');
    assert(jails.available);
  });

  function dumpable(value: number): [string[], string] {
    const file = join(jails.root.outside, 'dumpable');
    writeFileSync(file, `${value}\n`);
    return [[], `mount --bind ${file} /proc/sys/fs/suid_dumpable`];
  }

  async function under(namespaces: string[], command: string): Promise<Told> {
    const program = `
      import { Jail, probe } from ${JSON.stringify(packageUrl)};
      let told = {};
      try {
        const jail = await Jail.create(${JSON.stringify(jails.spec())});
        const { stdout } = await jail.exec('echo', ['works']);
        await jail.stop();
        told = { stdout };
      } catch ({ code, message }) {
        told = { code, message };
      }
      console.log(JSON.stringify({ ...told, jails: probe().features.jails }));`;
    const shell = ['sh', '-c', `${command} && exec "$@"`, 'sh'];
    const args = [
      '--mount',
      ...namespaces,
      ...shell,
      nodePath,
      '--input-type=module',
      '-e',
      program,
    ];
    const { stdout } = await promisify(execFile)('unshare', args);
    return JSON.parse(stdout);
  }
});
