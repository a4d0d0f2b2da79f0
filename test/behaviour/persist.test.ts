import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Jail, listJails } from 'dragonfly-jail';
import { nextIPv4 } from '../support/addresses.js';
import { eventually, onlyInThisProgram, sleep, within } from '../support/environment.js';
import { hostProcess } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { Program } from '../support/programs.js';

interface Left {
  jid: number;
  pids: number[];
  jailPids: number[];
}

// Makes a jail that stays, with two commands: one ends by itself, one does not.
const LEAVE_A_JAIL = `
  const jail = await Jail.create(spec);
  const script = 'until test -e /home/go; do sleep 0.05; done; exit 7';
  const commands = [
    jail.spawn('sh', ['-c', script], { stdio: 'ignore' }),
    jail.spawn('sleep', ['1000'], { stdio: 'ignore' }),
  ];
  await Promise.all(commands.map((command) => new Promise((done) => command.once('spawn', done))));
  say({
    jid: jail.jid,
    pids: commands.map(({ pid }) => pid),
    jailPids: commands.map(({ jailPid }) => jailPid),
  });
  await heard();
  process.exit(0);`;

describe('a jail that stays', () => {
  const jails = useJails();
  let left: Left;
  const name = `stays_${process.pid}`;

  async function leave(ending: 'exit' | 'kill'): Promise<void> {
    const spec = jails.spec({ persist: true, name, addresses: [nextIPv4()] });
    await using program = new Program(LEAVE_A_JAIL, spec);
    left = await program.next<Left>();
    if (ending === 'kill') process.kill(program.pid, 'SIGKILL');
    else program.tell();
    await program.ended;
  }

  afterEach(async () => {
    const jail = await Jail.open(name).catch(() => null);
    await jail?.stop({ graceMs: 0 });
  });

  for (const ending of ['exit', 'kill'] as const) {
    it(`survives the ${ending} of its program and is adopted with its commands`, async () => {
      await leave(ending);
      assert.equal(listJails().find(({ jid }) => jid === left.jid)?.name, name);
      const jail = await Jail.open(left.jid);
      assert.equal(jail.jid, left.jid);
      assert.equal(jail.name, name);
      assert.equal(jail.owned, false);
      const commands = jail.commands();
      const byPid = (a?: number, b?: number) => (a ?? 0) - (b ?? 0);
      assert.deepEqual(commands.map(({ pid }) => pid).sort(byPid), [...left.pids].sort(byPid));
      const first = commands.find(({ pid }) => pid === left.pids[0]);
      assert.equal(first?.spawnfile, 'sh');
      assert.equal(first?.spawnargs[1], '-c');
      assert.equal(first?.jailPid, left.jailPids[0]);
      await jail.exec('touch', ['/home/go']);
      assert.equal((await within('the exit of the command', 3000, first.exited)).exitCode, 7);
      await jail.exec('rm', ['/home/go']);
      const second = jail.commands().find(({ pid }) => pid === left.pids[1]);
      assert.equal(second?.kill('SIGUSR1'), true);
      assert.equal((await second.exited).signal, 'SIGUSR1');
      await jail.stop();
      assert.equal(
        listJails().some(({ jid }) => jid === left.jid),
        false,
      );
    });
  }

  it('is opened by its name, by several programs one after the other', async () => {
    await leave('exit');
    for (const round of [1, 2, 3]) {
      const jail = await Jail.open(name);
      assert.equal((await jail.exec('echo', [`${round}`])).stdout, `${round}\n`);
      await jail[Symbol.asyncDispose]();
      assert.notEqual(hostProcess(left.pids[1] ?? 0), null);
    }
    assert.equal(
      listJails().some(({ jid }) => jid === left.jid),
      true,
    );
  });

  it('is stopped by whoever opened it, with its processes', async () => {
    await leave('kill');
    const before = new Snapshot(jails.root.outside);
    const jail = await Jail.open(left.jid);
    const gone = once(jail, 'exit');
    await jail.stop({ graceMs: 0 });
    await within('the exit event', 1000, gone);
    for (const pid of left.pids) assert.equal(hostProcess(pid), null);
    await before.assertNothingLeft();
    await assert.rejects(Jail.open(left.jid), { code: 'ERR_JAIL_NOT_FOUND' });
  });

  it('takes two that opened it at once, and tells each of the end', async () => {
    await leave('exit');
    const [one, two] = await Promise.all([Jail.open(left.jid), Jail.open(left.jid)]);
    const outputs = await Promise.all([one.exec('echo', ['1']), two.exec('echo', ['2'])]);
    assert.deepEqual(
      outputs.map(({ stdout }) => stdout),
      ['1\n', '2\n'],
    );
    const ends = [once(one, 'exit'), once(two, 'exit')];
    await one.stop({ graceMs: 0 });
    await within('both ends', 3000, Promise.all(ends));
    assert.throws(() => two.info(), { code: 'ERR_JAIL_NOT_FOUND' });
  });

  it('is not ended by its monitor’s being idle, and keeps what was set', async () => {
    const jail = jails.keep(await Jail.create(jails.spec({ persist: true, name })));
    jail.setCapabilities({ rawSockets: true });
    const other = await Jail.open(name);
    await eventually(() => assert.equal(other.capabilities().rawSockets, true));
    await other[Symbol.asyncDispose]();
    assert.equal(jail.info().state, 'empty');
  });
});

describe('a jail of another living program', () => {
  const jails = useJails();

  it('can be entered, is left alive, and ends with its own program', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       say(jail.jid);
       await heard();
       await jail.stop();`,
      jails.spec({ hostname: 'theirs.test', addresses: [nextIPv4()] }),
    );
    const jid = await program.next<number>();
    const jail = await Jail.open(jid);
    assert.equal(jail.owned, false);
    assert.equal(jail.info().owned, false);
    assert.equal((await jail.exec('uname', ['-n'])).stdout, 'theirs.test\n');
    const command = jail.spawn('sleep', ['1000']);
    await once(command, 'spawn');
    assert.deepEqual(
      jail.processes().map(({ pid }) => pid),
      [command.pid],
    );
    await jail[Symbol.asyncDispose]();
    // What this program ran there ends with its connection; the jail does not.
    await eventually(() => assert.equal(hostProcess(command.pid ?? 0), null));
    assert.equal(
      listJails().some((other) => other.jid === jid),
      true,
    );
    program.tell();
    assert.equal((await within('the end of its program', 5000, program.ended)).code, 0);
    assert.equal(
      listJails().some((other) => other.jid === jid),
      false,
    );
  });

  it('can be stopped by who may', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       jail.on('exit', () => { say('gone'); process.exit(0); });
       jail.spawn('sleep', ['1000'], { stdio: 'ignore' }).on('error', () => {});
       say(jail.jid);`,
      jails.spec(),
    );
    const jid = await program.next<number>();
    const jail = await Jail.open(jid);
    await within('the stop', 5000, jail.stop({ graceMs: 0 }));
    assert.equal(
      listJails().some((other) => other.jid === jid),
      false,
    );
    assert.equal(await program.next(), 'gone');
    await program.ended;
  });

  it('ends what was opened when it ends', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec); say(jail.jid); await heard();`,
      jails.spec(),
    );
    const jail = await Jail.open(await program.next<number>());
    const gone = once(jail, 'exit');
    const command = jail.spawn('sleep', ['1000']);
    command.on('error', () => {});
    await once(command, 'spawn');
    await program.kill();
    await within('the exit event', 3000, gone);
    await eventually(() => assert.equal(hostProcess(command.pid ?? 0), null));
  });
});

describe('a jail that stays until it is empty', () => {
  const jails = useJails();
  const names = () => listJails().map(({ jid }) => jid);

  it('stays while nothing was run in it, and ends with the last process', async () => {
    const jail = await jails.create({ persist: 'until-empty' });
    await sleep(600);
    assert.equal(jail.info().state, 'empty');
    const gone = once(jail, 'exit');
    const { exitCode } = await jail.exec('sh', ['-c', 'sleep 0.7 >/dev/null 2>&1 & exit 4']);
    assert.equal(exitCode, 4);
    assert.equal(jail.info().state, 'running');
    await within('the end of the jail', 5000, gone);
    assert.ok(!names().includes(jail.jid));
  });

  it('a command that could not be run does not count', async () => {
    const jail = await jails.create({ persist: 'until-empty' });
    await assert.rejects(jail.exec('/none'));
    await sleep(400);
    assert.equal(jail.info().state, 'empty');
  });

  it('outlives its program with what its commands have left, but not the commands', async () => {
    const spec = jails.spec({ persist: 'until-empty' });
    await using program = new Program(
      `const jail = await Jail.create(spec);
       await jail.exec('sh', ['-c', 'sleep 2 >/dev/null 2>&1 &']);
       const own = jail.spawn('sleep', ['1000'], { stdio: 'ignore' });
       own.once('spawn', () => say({ jid: jail.jid, pid: own.pid }));`,
      spec,
    );
    const { jid, pid } = await program.next<{ jid: number; pid: number }>();
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    await eventually(() => assert.ok(hostProcess(pid)?.ended ?? true));
    assert.ok(names().includes(jid));
    await eventually(() => assert.ok(!names().includes(jid)), 8000);
  });

  it('ends with its program when that never ran a command', async () => {
    const spec = jails.spec({ persist: 'until-empty' });
    await using program = new Program('const jail = await Jail.create(spec); say(jail.jid);', spec);
    const jid = await program.next<number>();
    assert.ok(names().includes(jid));
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    await eventually(() => assert.ok(!names().includes(jid)));
  });
});

describe('a second handle of a jail that stays', () => {
  const jails = useJails();
  let jail: Jail;

  beforeEach(async () => {
    onlyInThisProgram('a second handle');
    jail = await jails.create({ persist: true });
  });

  it('hears of an adopted command that ends before this program looks', async () => {
    const command = jail.spawn('sleep', ['0.3'], { stdio: 'ignore' });
    await once(command, 'spawn');
    const opening = Jail.open(jail.jid);
    // What the monitor answers, and the end of the command, are there to be read at once then.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    const other = await opening;
    try {
      const [adopted] = other.commands();
      assert(adopted !== undefined, 'it had begun before');
      const { exitCode } = await within('its end', 5000, adopted.exited);
      assert.equal(exitCode, 0);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it('that is closed gives up the commands whose end somebody waits for', async () => {
    const other = await Jail.open(jail.jid);
    const waiting = other.exec('sleep', ['1000']);
    const outcome = assert.rejects(within('an answer', 5000, waiting), {
      code: 'ERR_JAIL_STOPPED',
    });
    await sleep(200);
    await other[Symbol.asyncDispose]();
    await outcome;
  });

  it('that a listener closes tells of what had happened first', async () => {
    await using program = new Program(
      `const owner = await Jail.create({ ...spec, persist: true });
       const jail = await Jail.open(owner.jid);
       process.on('uncaughtException', () => {});
       let isClosed = false;
       const told = [1, 2, 3].map(() => {
         const events = [];
         const command = jail.spawn('sleep', ['1000'], { stdio: 'ignore' });
         command.on('close', () => events.push('close'));
         command.exited.catch(({ code }) => events.push(code));
         command.on('spawn', () => {
           events.push('spawn');
           if (isClosed) return;
           isClosed = true;
           void jail[Symbol.asyncDispose]();
           throw new Error('of a listener');
         });
         return events;
       });
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
       await sleep(200);
       await owner.stop();
       say(told);`,
      jails.spec(),
    );
    const each = ['spawn', 'close', 'ERR_JAIL_STOPPED'];
    assert.deepEqual(await program.next(), [each, each, each]);
  });
});
