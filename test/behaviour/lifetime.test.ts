import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Jail, listJails, recover } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import {
  eventually,
  isRoot,
  onDragonfly,
  onModel,
  onRealDragonfly,
  patience,
  skip,
  sleep,
  within,
} from '../support/environment.js';
import {
  descendants,
  type HostProcess,
  hostProcess,
  hostRoutesTo,
  killOnHost,
  monitorsOf,
  processesWithMount,
  registryFolders,
  stillThere,
} from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { Program } from '../support/programs.js';
import { system } from '../support/system/index.js';

const HOLD_A_JAIL = `
  const jail = await Jail.create(spec);
  const command = jail.spawn('sh', ['-c', 'sleep 1000 & ${system.inOwnSession} sleep 1000; wait'], { stdio: 'ignore' });
  await new Promise((done) => command.once('spawn', done));
  await sleep(100);
  say({ jid: jail.jid, pid: command.pid });`;

describe('the life of a jail', () => {
  const jails = useJails();

  function nothingOf(jids: readonly number[]): void {
    const listed = listJails().filter(({ jid }) => jids.includes(jid));
    assert.deepEqual(listed, [], 'the jail is still listed');
    const folders = registryFolders().filter((name) => jids.includes(Number(name)));
    assert.deepEqual(folders, [], 'its folder is left in the registry');
    assert.deepEqual(processesWithMount(jails.root.path), [], 'processes are left in it');
  }

  it('ends within a second when its program is killed', async () => {
    const addresses = [nextIPv4(), nextIPv6()];
    await using program = new Program(HOLD_A_JAIL, jails.spec({ addresses }));
    const { jid } = await program.next<{ jid: number }>();
    const family = await program.kill();
    // There is no anchor on DragonFly, and what leaves its session there has left its family.
    const least = onDragonfly ? 3 : 4;
    assert(family.length >= least, `monitor, anchor and commands: ${family.length}`);
    await eventually(() => {
      assert.deepEqual(stillThere(family), []);
      nothingOf([jid]);
      for (const address of addresses) assert.deepEqual(hostRoutesTo(address), []);
    }, 1000);
  });

  it('ends with its program when that simply ends', async () => {
    await using program = new Program(`${HOLD_A_JAIL} process.exit(0);`, jails.spec());
    const { jid } = await program.next<{ jid: number }>();
    await program.ended;
    await eventually(() => nothingOf([jid]), 1000);
  });

  it('ends when its program is killed in the middle of anything', async function () {
    this.timeout(patience(60_000));
    const spec = jails.spec({ addresses: isRoot ? [] : [nextIPv4()] });
    const restless = `
      say('begun');
      for (;;) {
        const all = await Promise.all([1, 2, 3].map(() => Jail.create(spec)));
        await Promise.all(all.map((jail) => jail.exec('true')));
        all.forEach((jail) => jail.spawn('sleep', ['1000']).on('error', () => {}));
        await Promise.all(all.map((jail) => jail.stop({ graceMs: 0 })));
      }`;
    const before = new Snapshot(jails.root.outside);
    for (let round = 0; round < 8; round++) {
      await using program = new Program(restless, spec);
      await program.next();
      await sleep(20 + Math.random() * 250);
      const family = await program.kill();
      await eventually(() => {
        assert.deepEqual(stillThere(family), [], `round ${round}`);
        assert.deepEqual(processesWithMount(jails.root.path), [], `round ${round}`);
      }, 1000);
      await before.assertNothingLeft(1000);
    }
  });

  it('ends within five seconds when there are 100 of the program that is killed', async function () {
    this.timeout(patience(90_000));
    await using program = new Program(
      `const all = [];
       for (let i = 0; i < 10; i++) {
         all.push(...await Promise.all(Array.from({ length: 10 }, () => Jail.create(spec))));
       }
       const commands = all.map((jail) => jail.spawn('sleep', ['1000'], { stdio: 'ignore' }));
       await Promise.all(commands.map((command) => new Promise((done) => command.once('spawn', done))));
       say(all.map(({ jid }) => jid));`,
      jails.spec(),
    );
    const jids = await program.next<number[]>();
    assert.equal(jids.length, 100);
    const family = await program.kill();
    assert(family.length >= 200, `${family.length} processes`);
    await eventually(() => {
      assert.deepEqual(stillThere(family), []);
      nothingOf(jids);
    }, 5000);
  });

  it('says the same of a command that comes too late, and of a stop', async () => {
    const earlier = new Set(monitorsOf(process.pid).map(({ pid }) => pid));
    const jail = await jails.create();
    const [monitor] = monitorsOf(process.pid).filter(({ pid }) => !earlier.has(pid));
    assert(monitor !== undefined, 'no monitor was found');
    killOnHost(monitor.pid, 'SIGKILL');
    // Until its socket has ended for the kernel, but not yet for this program.
    const until = performance.now() + 50;
    while (performance.now() < until);
    const command = jail.spawn('true');
    const stopping = jail.stop();
    await assert.rejects(command.exited, { code: 'ERR_JAIL_MONITOR_LOST' });
    await stopping.catch((error) => assert.equal(error.code, 'ERR_JAIL_MONITOR_LOST'));
  });

  it('ends with its monitor, and every command says so', async () => {
    const earlier = new Set(monitorsOf(process.pid).map(({ pid }) => pid));
    const jail = await jails.create({ addresses: [nextIPv4()] });
    const [monitor] = monitorsOf(process.pid).filter(({ pid }) => !earlier.has(pid));
    assert(monitor !== undefined, 'no monitor was found');
    const commands = [1, 2].map(() => jail.spawn('sleep', ['1000']));
    const errors = commands.map((command) => once(command, 'error'));
    await Promise.all(commands.map((command) => once(command, 'spawn')));
    const family: HostProcess[] = [monitor, ...descendants(monitor.pid)];
    const gone = once(jail, 'exit');
    killOnHost(monitor.pid, 'SIGKILL');
    for (const [index, command] of commands.entries()) {
      await assert.rejects(within('the news', 2000, command.exited), {
        code: 'ERR_JAIL_MONITOR_LOST',
      });
      const [error] = await within('the error event', 2000, errors[index] as Promise<[Error]>);
      assert.equal((error as Error & { code: string }).code, 'ERR_JAIL_MONITOR_LOST');
    }
    // The kernel ends a jail when the last of its dead is collected, which these are by the host's init.
    const isCommand = ({ command }: HostProcess) => command === 'sleep';
    const uncollected = () =>
      family.filter(isCommand).filter(({ pid }) => hostProcess(pid) !== null);
    if (!onDragonfly) await eventually(() => assert.deepEqual(uncollected(), []), 20_000);
    await within('the exit event', 2000, gone);
    // Nothing on DragonFly ends commands with their monitor.
    if (onDragonfly) await recover();
    await eventually(() => {
      assert.deepEqual(stillThere(family), []);
      assert.deepEqual(
        monitorsOf(process.pid).filter(({ pid }) => pid === monitor.pid),
        [],
      );
      nothingOf([jail.jid]);
    }, 1000);
    await jail.stop();
    assert.throws(() => jail.spawn('true'));
  });

  it('leaves nothing for recover to do when all went well', async () => {
    const jail = await jails.create({ addresses: [nextIPv4()] });
    await jail.exec('true');
    await jail.stop();
    const recovered = await recover();
    assert.deepEqual(
      recovered.filter(({ jid }) => jid === jail.jid),
      [],
    );
  });

  it('is not ended by recover', async () => {
    const jail = await jails.create();
    await recover();
    assert.equal((await jail.exec('echo', ['alive'])).stdout, 'alive\n');
  });

  it('is cleaned up by recover after a SIGKILL of everything', async () => {
    const name = `dead_${process.pid}`;
    await using program = new Program(HOLD_A_JAIL, jails.spec({ name, addresses: [nextIPv4()] }));
    const { jid } = await program.next<{ jid: number }>();
    process.kill(program.pid, 'SIGSTOP');
    const [monitor] = monitorsOf(program.pid);
    assert(monitor !== undefined);
    const family = descendants(program.pid);
    process.kill(monitor.pid, 'SIGKILL');
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    // Nothing on DragonFly ends commands with their monitor: their jail is there until somebody recovers it.
    if (!onDragonfly) {
      await eventually(() => assert.deepEqual(stillThere(family), []), 1000);
      const listed = listJails().some((jail) => jail.jid === jid);
      assert.equal(listed, false, 'a dead jail is not listed');
    }
    const recovered = await recover();
    const own = recovered.find((jail) => jail.jid === jid);
    assert.deepEqual(own?.failed ?? [], []);
    assert.deepEqual(stillThere(family), []);
    nothingOf([jid]);
    // The name is free again.
    await (await jails.create({ name })).stop();
  });

  it('is told by recover what was taken back, the groups of its limits too', async function () {
    if (onDragonfly || !isRoot)
      skip(this, 'limits of whole jails need cgroups that can be written');
    const spec = jails.spec({ limits: { memory: 2 ** 28, processes: 50 } });
    await using program = new Program(HOLD_A_JAIL, spec);
    const { jid } = await program.next<{ jid: number }>();
    process.kill(program.pid, 'SIGSTOP');
    const [monitor] = monitorsOf(program.pid);
    assert(monitor !== undefined);
    process.kill(monitor.pid, 'SIGKILL');
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    const own = (await recover()).find((jail) => jail.jid === jid);
    assert.deepEqual(own?.failed, []);
    const folders = own.undone.filter((what) => what.startsWith('cgroup '));
    assert.notEqual(folders.length, 0);
    for (const folder of folders) assert.equal(existsSync(folder.slice('cgroup '.length)), false);
    assert.equal(own.undone.at(-1), 'registry entry');
  });

  it('says once that it is over', async () => {
    const jail = await jails.create();
    let times = 0;
    jail.on('exit', () => times++);
    await Promise.all([jail.stop(), jail.stop()]);
    await jail.stop();
    await sleep(50);
    assert.equal(times, 1);
  });
});

describe('stopping a jail', () => {
  const jails = useJails();

  it('resolves when it is gone with all its processes', async () => {
    const earlier = descendants(process.pid).map(({ pid }) => pid);
    const jail = await jails.create();
    await jail.exec('sh', ['-c', `(${system.inOwnSession} sleep 1000 >/dev/null 2>&1 &); :`]);
    const command = jail.spawn('sleep', ['1000']);
    await once(command, 'spawn');
    const family = descendants(process.pid).filter(({ pid }) => !earlier.includes(pid));
    // On Linux there is an anchor too; on DragonFly who has left its session belongs to init.
    const least = onRealDragonfly ? 2 : onModel ? 3 : 4;
    assert(family.length >= least, `${family.length} processes`);
    await jail.stop();
    assert.equal((await command.exited).signal, 'SIGTERM');
    assert.deepEqual(stillThere(family), []);
    assert.equal(
      listJails().some(({ jid }) => jid === jail.jid),
      false,
    );
    await assert.rejects(Jail.open(jail.jid), { code: 'ERR_JAIL_NOT_FOUND' });
  });

  it('lets its processes end in their own way first', async () => {
    const jail = await jails.create();
    const script = 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done';
    const command = jail.spawn('sh', ['-c', script]);
    await once(command.stdout as NodeJS.ReadableStream, 'data');
    await jail.stop({ graceMs: 3000 });
    assert.equal((await command.exited).exitCode, 42);
  });

  it('asks with the signal given', async () => {
    const jail = await jails.create();
    const script = 'trap "exit 43" USR1; echo ready; while :; do sleep 0.05; done';
    const command = jail.spawn('sh', ['-c', script]);
    await once(command.stdout as NodeJS.ReadableStream, 'data');
    await jail.stop({ signal: 'SIGUSR1', graceMs: 3000 });
    assert.equal((await command.exited).exitCode, 43);
  });

  it('kills those that do not want to', async () => {
    const jail = await jails.create();
    const script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';
    const command = jail.spawn('sh', ['-c', script]);
    await once(command.stdout as NodeJS.ReadableStream, 'data');
    const start = performance.now();
    await jail.stop({ graceMs: 300 });
    const took = performance.now() - start;
    assert(took >= 250 && took < 3000, `${took} ms`);
    assert.equal((await command.exited).signal, 'SIGKILL');
  });

  it('does not wait for the grace when there is nobody to wait for', async () => {
    const jail = await jails.create();
    const start = performance.now();
    await jail.stop({ graceMs: 10_000 });
    assert(performance.now() - start < 2000);
  });

  it('runs the command that it was given before', async () => {
    const jail = await jails.create();
    await jail.stop({ command: ['sh', '-c', 'echo stopped > /home/note'] });
    const again = await jails.create();
    assert.equal((await again.exec('cat', ['/home/note'])).stdout, 'stopped\n');
  });

  it('is not held up for ever by that command', async () => {
    const jail = await jails.create();
    const start = performance.now();
    await jail.stop({ command: ['sleep', '1000'], graceMs: 300 });
    assert(performance.now() - start < 5000);
    assert.equal(
      listJails().some(({ jid }) => jid === jail.jid),
      false,
    );
  });

  it('happens at the end of the block that owns it', async () => {
    let jid: number;
    {
      await using jail = await Jail.create(jails.spec());
      jid = jail.jid;
      assert.equal(
        listJails().some((other) => other.jid === jid),
        true,
      );
    }
    assert.equal(
      listJails().some((other) => other.jid === jid),
      false,
    );
  });

  it('ends a fork bomb', async () => {
    const jail = await jails.create();
    const bomb = 'f() { sleep 1000 & (f) & sleep 1; }; for i in 1 2 3 4; do f & done; wait';
    jail
      .spawn('sh', ['-c', bomb], { stdio: 'ignore', limits: { nproc: 400 } })
      .on('error', () => {});
    await eventually(() => assert(jail.processes().length > 20));
    await within('the stop', 5000, jail.stop({ graceMs: 0 }));
    assert.deepEqual(processesWithMount(jails.root.path), []);
  });
});
