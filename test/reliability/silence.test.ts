import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostProcess, killOnHost, monitorsOf } from '../support/host.js';
import { nativeFolder } from '../support/injector.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { Program } from '../support/programs.js';

// What becomes of a program whose monitor neither does its work nor ends, or says what no monitor says.

const PATIENCE_MS = 1000;
/** Two of them: for the answer, and for its end; and what a busy machine takes. */
const BOUND_MS = 2 * PATIENCE_MS + 5000;
const IMPATIENT = { DRAGONFLY_JAIL_MONITOR_TIMEOUT: String(PATIENCE_MS) };

interface Answer {
  code: string;
  message: string;
  cause: string | null;
  hint: string | null;
  ms: number;
}

// Says how a promise ended, and after how long.
const TOOLS = `
  const how = async (promise) => {
    const start = performance.now();
    const error = await promise.then(() => null, (reason) => reason);
    const ms = performance.now() - start;
    return { code: error?.code ?? 'fine', message: String(error), cause: error?.cause?.code ?? null, hint: error?.hint ?? null, ms };
  };`;

describe('a monitor that is none', () => {
  const jails = useJails();
  let folder: string;

  before(function () {
    folder = nativeFolder(this, join(jails.root.outside, 'native'), 'fake');
  });

  const inHello = {
    silent: null,
    garbage: 'ERR_JAIL_PROTOCOL',
    huge: 'ERR_JAIL_PROTOCOL',
    'another-release': 'ERR_JAIL_PROTOCOL',
    deaf: null,
    gone: null,
    crash: null,
  };
  const inCreate = {
    'silent-create': 'ERR_JAIL_PROTOCOL',
    'half-and-silent': null,
    'half-and-gone': null,
    longer: 'ERR_JAIL_PROTOCOL',
    'unknown-type': 'ERR_JAIL_PROTOCOL',
  };

  for (const [manner, cause] of Object.entries({ ...inHello, ...inCreate })) {
    it(`${manner}: create() rejects in time, and nothing is left`, async () => {
      writeFileSync(join(folder, 'manner'), manner);
      const [answer] = await ask(`say(await how(Jail.create(spec)));`, 1);
      assert.equal(answer?.code, 'ERR_JAIL_MONITOR_LOST');
      // Of one that has closed its end unread the kernel may say so.
      if (cause === null) assert.match(answer.cause ?? 'none', /^(none|ECONNRESET|EPIPE)$/);
      else assert.equal(answer.cause, cause);
    });
  }

  it('done: an answer to something else is no jail', async () => {
    writeFileSync(join(folder, 'manner'), 'done');
    const [answer] = await ask(`say(await how(Jail.create(spec)));`, 1);
    assert.equal(answer?.code, 'ERR_JAIL_PROTOCOL');
  });

  for (const manner of ['once-ready', 'exits-of-nobody']) {
    it(`${manner}: silent from then on: exec() and stop() end in time`, async () => {
      writeFileSync(join(folder, 'manner'), manner);
      const source = `
        const jail = await Jail.create(spec);
        const exec = how(jail.exec('true'));
        const stop = how(jail.stop());
        say(await exec);
        say(await stop);`;
      const [exec, stop] = await ask(source, 2);
      assert.match(exec?.code ?? '', /^ERR_JAIL_(MONITOR_LOST|STOPPED)$/);
      assert.equal(stop?.code, 'fine', 'it has been killed, and there is no jail');
    });
  }

  async function ask(source: string, count: number): Promise<Answer[]> {
    const env = { ...IMPATIENT, DRAGONFLY_JAIL_NATIVE: folder };
    const left = new Snapshot(jails.root.outside);
    await using program = new Program(TOOLS + source, jails.spec(), { env, quiet: true });
    const answers: Answer[] = [];
    for (let i = 0; i < count; i++) answers.push(await program.next<Answer>());
    for (const { ms } of answers) assert(ms < BOUND_MS, `after ${ms} ms`);
    assert.equal((await program.ended).code, 0, 'the program has ended by itself');
    await left.assertNothingLeft();
    return answers;
  }
});

describe('a monitor that is stopped with a signal', () => {
  const jails = useJails();

  async function told(
    source: string,
    act: (program: Program, monitor: HostProcess) => Promise<void>,
  ) {
    const left = new Snapshot(jails.root.outside);
    await using program = new Program(TOOLS + source, jails.spec({ name: 'halted' }), {
      env: IMPATIENT,
    });
    await program.next();
    const [monitor] = monitorsOf(program.pid);
    assert(monitor !== undefined);
    killOnHost(monitor.pid, 'SIGSTOP');
    await act(program, monitor);
    assert.equal((await program.ended).code, 0, 'the program has ended by itself');
    await left.assertNothingLeft();
  }

  it('counts as lost after the time that is documented: commands that run are told so', async () => {
    const source = `
      const jail = await Jail.create(spec);
      const command = jail.spawn('sleep', ['1000']);
      await new Promise((run) => command.on('spawn', run));
      say('runs');
      say(await how(command.exited));
      say(await how(jail.stop()));`;
    await told(source, async (program, monitor) => {
      const exited = await program.next<Answer>();
      assert.equal(exited.code, 'ERR_JAIL_MONITOR_LOST');
      assert.match(
        exited.message,
        new RegExp(`\\(process ${monitor.pid}\\) has not answered for 1 s`),
      );
      assert(exited.ms < BOUND_MS, `after ${exited.ms} ms`);
      assert.equal((await program.next<Answer>()).code, 'fine');
    });
  });

  it('does not keep stop() waiting: the jail is gone when it resolves', async () => {
    const source = `
      const jail = await Jail.create(spec);
      say('made');
      await heard();
      say(await how(jail.stop()));
      say(dfjail.listJails().filter(({ jid }) => jid === jail.jid).length);`;
    await told(source, async (program) => {
      program.tell();
      const stop = await program.next<Answer>();
      assert.equal(stop.code, 'fine');
      assert(stop.ms < BOUND_MS, `after ${stop.ms} ms`);
      assert.equal(await program.next(), 0);
    });
  });

  it('is left alone where nothing is expected of it, and of use when it goes on', async () => {
    const source = `
      const jail = await Jail.create(spec);
      say('made');
      await heard();
      say((await jail.exec('echo', ['still there'])).stdout);
      await jail.stop();`;
    await told(source, async (program, monitor) => {
      await new Promise((resolve) => setTimeout(resolve, 2.5 * PATIENCE_MS));
      killOnHost(monitor.pid, 'SIGCONT');
      program.tell();
      assert.equal(await program.next(), 'still there\n');
    });
  });

  it('of a persistent jail of another program: open() says whom to look at, and kills nobody', async () => {
    const maker = await jails.create({ name: 'halted', persist: true });
    const [monitor] = monitorsOf(process.pid);
    assert(monitor !== undefined);
    killOnHost(monitor.pid, 'SIGSTOP');
    const source = `say(await how(Jail.open('halted')));`;
    await using program = new Program(TOOLS + source, jails.spec(), { env: IMPATIENT });
    const open = await program.next<Answer>();
    assert.equal(open.code, 'ERR_JAIL_MONITOR_LOST');
    assert.match(open.message, /has not answered for 1 s/);
    assert(open.ms < BOUND_MS, `after ${open.ms} ms`);
    killOnHost(monitor.pid, 'SIGCONT');
    assert.equal((await maker.exec('echo', ['alive'])).stdout, 'alive\n');
  });
});

describe('an honest monitor', () => {
  const jails = useJails();

  async function saying(source: string): Promise<unknown> {
    await using program = new Program(TOOLS + source, jails.spec(), {
      env: { DRAGONFLY_JAIL_MONITOR_TIMEOUT: '300' },
    });
    const said = await program.next();
    assert.equal((await program.ended).code, 0);
    return said;
  }

  it('is not lost because a command takes long', async () => {
    const source = `
      const jail = await Jail.create(spec);
      say((await jail.exec('sh', ['-c', 'sleep 2; echo done'])).stdout);
      await jail.stop();`;
    assert.equal(await saying(source), 'done\n');
  });

  it('is not lost because the event loop was blocked', async () => {
    const source = `
      const jail = await Jail.create(spec);
      const results = [];
      for (let i = 0; i < 3; i++) {
        const command = jail.exec('sh', ['-c', 'sleep 0.1; echo ' + i]);
        const end = performance.now() + 1200;
        while (performance.now() < end);
        results.push((await command).stdout);
      }
      say(results.join(''));
      await jail.stop();`;
    assert.equal(await saying(source), '0\n1\n2\n');
  });

  it('is not lost because a jail ignores its end for longer', async () => {
    const source = `
      const jail = await Jail.create(spec);
      const command = jail.spawn('sh', ['-c', 'trap "" TERM; echo ready; sleep 1000']);
      await new Promise((run) => command.stdout.once('data', run));
      say(await how(jail.stop({ graceMs: 1500 })));`;
    const { code, ms } = (await saying(source)) as Answer;
    assert.equal(code, 'fine');
    assert(ms >= 1400, `${ms}`);
  });

  it('has a time that must be a number of milliseconds', async () => {
    const spec = jails.spec();
    const env = { DRAGONFLY_JAIL_MONITOR_TIMEOUT: 'soon' };
    await using program = new Program(`${TOOLS} say(await how(Jail.create(spec)));`, spec, { env });
    const { code, message } = await program.next<Answer>();
    assert.equal(code, 'ERR_INVALID_ARG_VALUE');
    assert.match(message, /DRAGONFLY_JAIL_MONITOR_TIMEOUT/);
  });
});
