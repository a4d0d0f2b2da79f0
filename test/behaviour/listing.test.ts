import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Jail, type JailedProcess, type JailInfo, listJails } from 'dragonfly-jail';
import { eventually, onDragonfly, skipOnModel } from '../support/environment.js';
import { killOnHost, monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

async function started(command: JailedProcess): Promise<void> {
  await once(command, 'spawn');
}

describe('jails that are listed again and again', () => {
  const jails = useJails();

  function listed(jail: Jail): JailInfo | undefined {
    return listJails().find(({ jid }) => jid === jail.jid);
  }

  it('have the hostname that they have given themselves meanwhile', async () => {
    const jail = await jails.create({ hostname: 'first.test' });
    assert.equal(listed(jail)?.hostname, 'first.test');
    for (const name of ['second.test', 'third.test']) {
      const { exitCode } = await jail.exec('hostname', [name]);
      assert.equal(exitCode, 0);
      assert.equal(listed(jail)?.hostname, name);
    }
  });

  it('are running from the first command on, and empty after the last', async () => {
    const jail = await jails.create();
    assert.equal(listed(jail)?.state, 'empty');
    const commands = [jail.spawn('sleep', ['60']), jail.spawn('sleep', ['60'])];
    await Promise.all(commands.map(started));
    assert.equal(listed(jail)?.state, 'running');
    for (const [index, command] of commands.entries()) {
      command.kill('SIGKILL');
      await command.exited;
      assert.equal(listed(jail)?.state, index === 0 ? 'running' : 'empty');
    }
  });

  it('are running while a command’s child runs that it has left behind', async () => {
    const jail = await jails.create();
    await jail.exec('sh', ['-c', 'sleep 60 < /dev/null > /dev/null 2>&1 &']);
    assert.equal(listed(jail)?.state, 'running');
    jail.signal('SIGKILL');
    await eventually(() => assert.equal(listed(jail)?.state, 'empty'));
  });

  it('are running while a command of another program runs in them', async function () {
    skipOnModel(this, 'the model kernel is one program’s alone');
    const jail = await jails.create();
    assert.equal(listed(jail)?.state, 'empty');
    const source = `
      const jail = await Jail.open(${jail.jid});
      const command = jail.spawn('sleep', ['60']);
      await new Promise((done) => command.once('spawn', done));
      say('running');
      await sleep(60_000);`;
    await using program = new Program(source, jails.spec());
    await program.next();
    assert.equal(listed(jail)?.state, 'running');
    await program.kill();
    await eventually(() => assert.equal(listed(jail)?.state, 'empty'));
  });

  it('are stopping while their processes are asked to end', async () => {
    const jail = await jails.create();
    await started(jail.spawn('sh', ['-c', 'trap "" TERM; echo; while :; do sleep 0.1; done']));
    assert.equal(listed(jail)?.state, 'running');
    const stopped = jail.stop({ graceMs: 500 });
    await eventually(() => assert.equal(listed(jail)?.state, 'stopping'));
    await stopped;
    assert.equal(listed(jail), undefined);
  });

  it('are gone at once when their monitor is killed', async function () {
    skipOnModel(this, 'it has no monitor');
    const earlier = new Set(monitorsOf(process.pid).map(({ pid }) => pid));
    const jail = await jails.create();
    assert(listed(jail));
    const [monitor] = monitorsOf(process.pid).filter(({ pid }) => !earlier.has(pid));
    assert(monitor !== undefined, 'no monitor was found');
    const gone = once(jail, 'exit');
    killOnHost(monitor.pid, 'SIGKILL');
    await gone;
    assert.equal(listed(jail), undefined);
  });

  it('belong to who asked: a change of the answer changes no other', async () => {
    const jail = await jails.create(onDragonfly ? {} : { addresses: ['127.0.0.1'] });
    const first = listed(jail);
    assert(first);
    const before = structuredClone(first);
    first.hostname = 'changed';
    first.addresses.splice(0);
    assert.deepEqual(listed(jail), before);
  });
});
