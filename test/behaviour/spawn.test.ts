import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createWriteStream, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import type { Jail } from 'dragonfly-jail';
import {
  eventually,
  onModel,
  onRealDragonfly,
  skipOnModel,
  within,
} from '../support/environment.js';
import { hostProcess, monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

// What stdin is, by stat(1) of DragonFly: it is looked at where no file is named.
const IS_NULL = 'test "$(stat -f %r)" = "$(stat -f %r /dev/null)" && echo /dev/null';

// The 41st field of proc_pid_stat(5).
function schedulingPolicy(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}

describe('a command in a jail', () => {
  const jails = useJails();
  let jail: Jail;

  beforeEach(async () => {
    jail = await jails.create();
  });

  it('tells its life in the order of child_process', async () => {
    const events: unknown[] = [];
    const command = jail.spawn('sh', ['-c', 'echo out; exit 3']);
    assert.equal(command.pid, undefined);
    assert.equal(command.spawnfile, 'sh');
    assert.deepEqual(command.spawnargs, ['sh', '-c', 'echo out; exit 3']);
    command.on('spawn', () => events.push(['spawn', typeof command.pid, typeof command.jailPid]));
    command.on('exit', (code, signal) => events.push(['exit', code, signal]));
    command.on('close', (code, signal) => events.push(['close', code, signal]));
    assert.equal(await text(command.stdout as Readable), 'out\n');
    const ended = await command.exited;
    await eventually(() => assert.equal(events.length, 3));
    assert.deepEqual(events, [
      ['spawn', 'number', 'number'],
      ['exit', 3, null],
      ['close', 3, null],
    ]);
    assert.deepEqual([ended.exitCode, ended.signal], [3, null]);
    assert.deepEqual([command.exitCode, command.signalCode], [3, null]);
  });

  it('is told the name that argv0 says', async () => {
    const { stdout } = await jail.exec('sh', ['-c', 'echo $0'], { argv0: '-login' });
    assert.equal(stdout, '-login\n');
    const named = jail.spawn('/bin/sleep', ['1000'], { argv0: 'a name', stdio: 'ignore' });
    await once(named, 'spawn');
    assert.deepEqual(named.spawnargs, ['a name', '1000']);
    assert.ok(jail.processes().some(({ args }) => args[0] === 'a name'));
    named.kill('SIGKILL');
    await named.exited;
  });

  it('has the pid that the host knows it by, and the one that it has inside', async () => {
    const command = jail.spawn('sh', ['-c', 'echo $$; exec sleep 60']);
    await once(command, 'spawn');
    const [first] = await once(command.stdout as Readable, 'data');
    assert.equal(Number(String(first)), command.jailPid);
    const pid = command.pid ?? 0;
    await eventually(() => assert.equal(hostProcess(pid)?.command, 'sleep'));
    command.kill('SIGKILL');
    await command.exited;
    assert.equal(hostProcess(pid), null);
  });

  it('is ended by a signal and says by which', async () => {
    const command = jail.spawn('sh', ['-c', 'kill -9 $$']);
    const { exitCode, signal } = await command.exited;
    assert.deepEqual([exitCode, signal], [null, 'SIGKILL']);
    assert.deepEqual([command.exitCode, command.signalCode], [null, 'SIGKILL']);
  });

  it('can be killed', async () => {
    const command = jail.spawn('sleep', ['60']);
    await once(command, 'spawn');
    assert.equal(command.kill(0), true);
    assert.equal(command.killed, false);
    assert.equal(command.kill(), true);
    assert.equal(command.killed, true);
    assert.equal((await command.exited).signal, 'SIGTERM');
    assert.equal(command.kill(), false);
  });

  it('can be killed before it runs', async () => {
    const command = jail.spawn('sleep', ['60']);
    assert.equal(command.kill('SIGINT'), true);
    assert.equal((await command.exited).signal, 'SIGINT');
  });

  it('is killed when its time is over', async () => {
    const start = performance.now();
    const command = jail.spawn('sleep', ['60'], { timeout: 150, killSignal: 'SIGKILL' });
    assert.equal((await command.exited).signal, 'SIGKILL');
    const took = performance.now() - start;
    assert(took >= 140 && took < 5000, `${took} ms`);
    assert.equal(command.killed, true);
  });

  it('is killed when its AbortSignal says so', async () => {
    const abort = new AbortController();
    const command = jail.spawn('sleep', ['60'], { signal: abort.signal });
    const failed = new Promise<NodeJS.ErrnoException>((done) => command.once('error', done));
    const closed = new Promise((done) => command.once('close', done));
    await once(command, 'spawn');
    const pid = command.pid ?? 0;
    abort.abort();
    const error = await failed;
    assert.equal(error.name, 'AbortError');
    assert.equal(error.code, 'ABORT_ERR');
    await closed;
    assert.equal(command.signalCode, 'SIGTERM');
    assert.equal(hostProcess(pid), null);
  });

  it('gets its arguments as they are', async () => {
    const args = ['', ' ', 'a b', '$HOME', '"\'\\', 'zwei\nZeilen', 'ünï', '--', '*'];
    const { stdout } = await jail.exec('printf', ['[%s]', ...args]);
    assert.equal(stdout, args.map((arg) => `[${arg}]`).join(''));
  });

  it('runs in / or in the directory that was asked for', async () => {
    assert.equal((await jail.exec('pwd')).stdout, '/\n');
    assert.equal((await jail.exec('pwd', [], { cwd: '/usr/bin' })).stdout, '/usr/bin\n');
  });

  it('has nothing of this program’s environment', async () => {
    process.env.DFJAIL_SECRET = 'secret';
    try {
      assert.match(String((await jail.exec('env')).stdout), /^PATH=[^\n]+\n$/);
      const { stdout } = await jail.exec('env', [], { env: { A: 'b c', PATH: '/usr/bin:/bin' } });
      assert.deepEqual(String(stdout).trim().split('\n').sort(), ['A=b c', 'PATH=/usr/bin:/bin']);
    } finally {
      delete process.env.DFJAIL_SECRET;
    }
  });

  it('runs with its limits, of which the soft one can be lower', async () => {
    const limits = { nofile: { soft: 50, hard: 60 }, core: 0, cpu: 100 };
    const script = 'ulimit -S -n; ulimit -H -n; ulimit -c; ulimit -t';
    const { stdout } = await jail.exec('sh', ['-c', script], { limits });
    assert.equal(stdout, '50\n60\n0\n100\n');
  });

  it('is ended by the kernel when it goes over its limits', async () => {
    const size = await jail.exec('sh', ['-c', 'exec head -c 20000 /dev/zero > /tmp/big'], {
      limits: { fsize: 10_000, core: 0 },
    });
    assert.notEqual(size.exitCode, 0);
    const burn = await jail.exec('sh', ['-c', 'while :; do :; done'], {
      limits: { cpu: 1, core: 0 },
    });
    assert.match(String(burn.signal), /^SIG(XCPU|KILL)$/);
  });

  it('tells what it used', async () => {
    const script = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.1';
    const { usage } = await jail.exec('sh', ['-c', script]);
    assert(usage.userTime > 20 && usage.userTime < 20_000, `${usage.userTime} ms of user time`);
    assert(usage.systemTime >= 0, `${usage.systemTime} ms of system time`);
    assert(usage.maxRss > 100_000 && usage.maxRss < 2 ** 30, `${usage.maxRss} bytes`);
    assert(usage.wallTime >= 100 && usage.wallTime < 20_000, `${usage.wallTime} ms`);
  });

  it('runs beside many others, each with its own output', async () => {
    const numbers = Array.from({ length: 40 }, (_, i) => `${i}`);
    const results = await Promise.all(numbers.map((n) => jail.exec('echo', [n])));
    assert.deepEqual(
      results.map(({ stdout }) => stdout),
      numbers.map((n) => `${n}\n`),
    );
  });

  it('starts from the user’s own environment and home after a login', async () => {
    const script = 'pwd; echo $HOME $USER $SHELL; echo $TERM';
    const { stdout } = await jail.exec('sh', ['-c', script], {
      login: true,
      env: { TERM: 'vt100' },
    });
    assert.equal(stdout, '/root\n/root root /bin/sh\nvt100\n');
  });

  it('has signals as a fresh program has them', async function () {
    skipOnModel(this, 'programs of the model have no signal masks');
    if (onRealDragonfly) {
      const asked = ['-c', 'exec ps -o sigmask= -o sigignore= -p $$'];
      const fresh = execFileSync('sh', asked, { encoding: 'utf8' });
      assert.equal((await jail.exec('sh', asked)).stdout, fresh);
      return;
    }
    const { stdout } = await jail.exec('grep', ['-E', '^Sig(Blk|Ign)', '/proc/self/status']);
    assert.match(String(stdout), /^SigBlk:\s+0+\nSigIgn:\s+0+\n$/);
  });

  it('has the turns at the processor of any program, though its monitor leaves those to this one', async function () {
    skipOnModel(this, 'nothing there is scheduled');
    if (onRealDragonfly) {
      const { stdout } = await jail.exec('sh', ['-c', 'exec ps -o nice= -o rtprio= -p $$']);
      assert.match(String(stdout), /^ *0 +normal *\n$/);
      return;
    }
    const { stdout } = await jail.exec('cat', ['/proc/self/stat']);
    const SCHED_OTHER = 0;
    const SCHED_BATCH = 3;
    assert.equal(schedulingPolicy(stdout), SCHED_OTHER);
    const policies = monitorsOf(process.pid).map(({ pid }) =>
      schedulingPolicy(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    );
    assert.deepEqual(policies, [SCHED_BATCH]);
  });

  it('that fails to start and has no listener ends the program, as with child_process', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       jail.spawn('/bin/nothing');`,
      jails.spec(),
      { quiet: true },
    );
    const { code } = await within('the end of the program', 10_000, program.ended);
    assert.notEqual(code, 0);
  });

  it('that fails needs no one to look at its promise', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       jail.spawn('/bin/nothing').on('error', (error) => say(error.code));
       await sleep(200);
       await jail.stop();`,
      jails.spec(),
    );
    assert.equal(await program.next(), 'ENOENT');
    assert.equal((await program.ended).code, 0);
  });

  it('is heard of to the end, whatever the listeners of others throw', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       const thrown = [], told = [];
       process.on('uncaughtException', (error) => thrown.push(error.message));
       const commands = ['a', 'b', 'c'].map((name) => {
         const command = jail.spawn('true', { stdio: 'ignore' });
         for (const event of ['spawn', 'exit']) {
           command.on(event, () => {
             told.push(event + name);
             throw new Error(event + name);
           });
         }
         return command.exited;
       });
       // Everything has happened before this program looks.
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
       await Promise.all(commands);
       await sleep(100);
       await jail.stop();
       say({ thrown: thrown.sort(), told: told.sort() });`,
      jails.spec(),
    );
    const { thrown, told } = await program.next<{ thrown: string[]; told: string[] }>();
    const all = ['exita', 'exitb', 'exitc', 'spawna', 'spawnb', 'spawnc'];
    assert.deepEqual({ thrown, told }, { thrown: all, told: all });
  });
});

describe('the descriptors of a command', () => {
  const jails = useJails();
  let jail: Jail;

  before(async () => {
    jail = await jails.create();
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  it('are pipes unless something else is said', async () => {
    const command = jail.spawn('sh', ['-c', 'cat; echo problem >&2']);
    command.stdin?.end('hello');
    const [out, error] = await Promise.all([
      text(command.stdout as Readable),
      text(command.stderr as Readable),
    ]);
    assert.deepEqual([out, error], ['hello', 'problem\n']);
    assert.deepEqual(command.stdio.slice(0, 3), [command.stdin, command.stdout, command.stderr]);
  });

  it('carry much in both directions at once', async () => {
    const data = randomBytes(8 * 2 ** 20);
    const command = jail.spawn('cat');
    command.stdin?.end(data);
    const back = await buffer(command.stdout as Readable);
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    assert.equal(hash(back), hash(data));
  });

  it('are real pipes, which a program can open again', async () => {
    const { stdout } = await jail.exec('sh', ['-c', 'echo again > /dev/stdout']);
    assert.equal(stdout, 'again\n');
  });

  it('are those that were given and no others', async () => {
    // The three, and on Linux the one by which ls reads the folder.
    const [script, count] = onModel
      ? ['descriptors | wc -l', '3']
      : onRealDragonfly
        ? ['for n in 0 1 2 3 4 5 6 7 8 9; do (: <&$n) 2>/dev/null && echo $n; done | wc -l', '3']
        : ['ls /proc/self/fd | wc -l', '4'];
    const { stdout } = await jail.exec('sh', ['-c', script]);
    assert.equal(String(stdout).trim(), count);
  });

  it('can be ignored', async () => {
    const which = onModel ? 'descriptors' : onRealDragonfly ? IS_NULL : 'readlink /proc/self/fd/0';
    const command = jail.spawn('sh', ['-c', `cat; echo lost; ${which} >&2`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    assert.equal(command.stdin, null);
    assert.equal(command.stdout, null);
    const wanted = onModel ? '0 null\n1 null\n2 pipe\n' : '/dev/null\n';
    assert.equal(await text(command.stderr as Readable), wanted);
  });

  it('can be this program’s own', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       await jail.spawn('echo', ['"inherited"'], { stdio: 'inherit' }).exited;
       await jail.stop();`,
      jails.spec(),
    );
    assert.equal(await program.next(), 'inherited');
  });

  it('can be files of the host, by descriptor or as a stream', async () => {
    const byNumber = join(jails.root.outside, 'number.txt');
    const fd = openSync(byNumber, 'w');
    await jail.spawn('echo', ['to a descriptor'], { stdio: ['ignore', fd, 'ignore'] }).exited;
    closeSync(fd);
    assert.equal(readFileSync(byNumber, 'utf8'), 'to a descriptor\n');

    const byStream = join(jails.root.outside, 'stream.txt');
    const stream = createWriteStream(byStream);
    await once(stream, 'open');
    await jail.spawn('echo', ['to a stream'], { stdio: ['ignore', stream, 'ignore'] }).exited;
    stream.destroy();
    assert.equal(readFileSync(byStream, 'utf8'), 'to a stream\n');
  });

  it('can be more than three', async () => {
    const command = jail.spawn('sh', ['-c', 'echo four >&3; cat <&4 >&3'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    (command.stdio[4] as NodeJS.WritableStream).end('five\n');
    assert.equal(await text(command.stdio[3] as Readable), 'four\nfive\n');
    await command.exited;
  });

  it('stay open for those that the command leaves behind, so close comes after exit', async () => {
    const command = jail.spawn('sh', ['-c', '(sleep 0.3; echo late) & echo early']);
    const order: string[] = [];
    command.on('exit', () => order.push('exit'));
    command.on('close', () => order.push('close'));
    const output = text(command.stdout as Readable).then((all) => {
      order.push('output');
      return all;
    });
    assert.equal(await output, 'early\nlate\n');
    await eventually(() => assert.equal(order.length, 3));
    assert.equal(order[0], 'exit');
    assert.equal(order.at(-1), 'close');
  });

  it('break the pipe of a program that writes to nobody', async () => {
    const command = jail.spawn('sh', ['-c', 'exec yes'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(command.stdout as Readable, 'data');
    command.stdout?.destroy();
    const { signal, exitCode } = await within('the end of yes', 5000, command.exited);
    assert(signal === 'SIGPIPE' || (exitCode ?? 0) > 0, `${signal} ${exitCode}`);
  });

  it('do not end this program when the command no longer reads', async () => {
    const command = jail.spawn('true');
    await command.exited;
    const written = new Promise<Error | null | undefined>((done) =>
      command.stdin?.write(randomBytes(1 << 20), done),
    );
    const error = await within('the answer to the write', 5000, written);
    assert(error instanceof Error, 'the write cannot have worked');
  });
});

describe('handles that are not waited for', () => {
  const jails = useJails();

  it('keep the program alive until they are done', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       jail.unref();
       jail.spawn('sleep', ['0.5']).on('exit', () => say('exit seen'));`,
      jails.spec(),
    );
    assert.equal(await program.next(), 'exit seen');
    assert.equal((await within('the end of the program', 5000, program.ended)).code, 0);
  });

  it('let the program end when they were unref’d', async () => {
    const started = performance.now();
    await using program = new Program(
      `const jail = await Jail.create(spec);
       const command = jail.spawn('sleep', ['60'], { stdio: 'ignore' });
       await new Promise((done) => command.once('spawn', done));
       command.unref();
       jail.unref();`,
      jails.spec(),
    );
    assert.equal((await within('the end of the program', 10_000, program.ended)).code, 0);
    assert(performance.now() - started < 10_000);
  });

  it('hold the program again after ref', async () => {
    await using program = new Program(
      `const jail = await Jail.create(spec);
       jail.unref().ref();
       say('made');`,
      jails.spec(),
    );
    assert.equal(await program.next(), 'made');
    const outcome = await Promise.race([
      program.ended.then(() => 'ended'),
      new Promise((done) => setTimeout(done, 500, 'alive')),
    ]);
    assert.equal(outcome, 'alive');
  });
});
