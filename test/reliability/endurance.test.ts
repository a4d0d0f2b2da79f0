import assert from 'node:assert/strict';
import { patience } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { byLength } from '../support/length.js';
import { Program } from '../support/programs.js';
import { systemUrl } from '../support/system/index.js';

// Much of everything: what is kept of it is counted in a program of its own.

const SPAWNS = byLength(600, 10_000);
const AT_ONCE = 20;
const MEGABYTES = byLength(100, 500);
// What is not yet collected of the pieces that were read; far from all of them.
const MOST_MEGABYTES = 48;
const BLOCKED_MS = patience(byLength(1500, 10_000));
const MB = 1024 * 1024;

const MEASURE = `
  const { system } = await import(${JSON.stringify(systemUrl)});
  const rssOf = (pid) => pid === process.pid ? process.memoryUsage.rss() : system.residentSize(pid);
  const childrenOf = (of) => system.processes().filter(({ parent }) => parent === of).map(({ pid }) => pid);
  const measure = async () => {
    for (let i = 0; i < 4; i++) { gc(); await sleep(20); }
    const [monitor] = childrenOf(process.pid);
    return {
      descriptors: system.ownDescriptors().length,
      // Nobody but root may look into a monitor.
      monitorDescriptors: process.getuid() === 0 ? system.descriptorsOf(monitor) : 0,
      children: childrenOf(monitor).length,
      rss: rssOf(process.pid),
      monitorRss: rssOf(monitor),
    };
  };`;

interface Measured {
  descriptors: number;
  monitorDescriptors: number;
  children: number;
  rss: number;
  monitorRss: number;
}

const FLAGS = { flags: ['--expose-gc', '--max-semi-space-size=1'] };

describe('in the long run', () => {
  const jails = useJails();

  it(`${SPAWNS} commands leave descriptors, processes and memory as they were`, async function () {
    this.timeout(patience(byLength(60_000, 1_800_000)));
    const source = `${MEASURE}
      const jail = await Jail.create(spec);
      const run = async (count) => {
        for (let i = 0; i < count; i += ${AT_ONCE}) {
          await Promise.all(Array.from({ length: ${AT_ONCE} }, async (_, n) => {
            const { stdout } = await jail.exec('/bin/echo', [String(n)]);
            if (stdout !== n + '\\n') throw new Error('lost output: ' + stdout);
          }));
        }
      };
      await run(200);
      say(await measure());
      await run(${SPAWNS});
      say(await measure());
      await jail.stop();`;
    await using program = new Program(source, jails.spec(), FLAGS);
    const warm = await program.next<Measured>();
    const [line = '{}'] = await program.rest();
    const done = JSON.parse(line) as Measured;
    const growth = (done.rss - warm.rss) / MB;
    const monitorGrowth = (done.monitorRss - warm.monitorRss) / MB;
    console.log(
      `      ${SPAWNS} commands: Node ${(warm.rss / MB).toFixed(1)} MB ${growth.toFixed(1)} more, monitor ${(warm.monitorRss / MB).toFixed(2)} MB ${monitorGrowth.toFixed(2)} more`,
    );
    assert.equal(done.descriptors, warm.descriptors);
    assert.equal(done.monitorDescriptors, warm.monitorDescriptors);
    assert.equal(done.children, warm.children);
    assert(growth < 8, `Node has grown by ${growth} MB`);
    assert(monitorGrowth < 0.5, `the monitor has grown by ${monitorGrowth} MB`);
  });

  it(`${MEGABYTES} MB through stdio with a slow reader take no more memory than the pipes have`, async function () {
    this.timeout(patience(byLength(60_000, 600_000)));
    const source = `${MEASURE}
      const jail = await Jail.create(spec);
      const command = jail.spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] });
      const total = ${MEGABYTES} * ${MB};
      const chunk = Buffer.alloc(64 * 1024, 'x');
      let most = 0;
      const before = rssOf(process.pid);
      const look = setInterval(() => { most = Math.max(most, rssOf(process.pid)); }, 20);
      const write = async () => {
        for (let sent = 0; sent < total; sent += chunk.length) {
          if (!command.stdin.write(chunk)) await new Promise((room) => command.stdin.once('drain', room));
        }
        command.stdin.end();
      };
      const writing = write();
      let read = 0;
      for await (const piece of command.stdout) {
        read += piece.length;
        if (read % (1 << 22) < piece.length) await sleep(20); // slower than the writer
      }
      await writing;
      clearInterval(look);
      const { exitCode } = await command.exited;
      say({ read, exitCode, grown: most - before });
      await jail.stop();`;
    await using program = new Program(source, jails.spec(), FLAGS);
    const [line = '{}'] = await program.rest();
    const { read, exitCode, grown } = JSON.parse(line) as Record<string, number>;
    console.log(`      ${MEGABYTES} MB: at most ${((grown ?? 0) / MB).toFixed(1)} MB more`);
    assert.deepEqual({ read, exitCode }, { read: MEGABYTES * MB, exitCode: 0 });
    assert((grown ?? 0) < MOST_MEGABYTES * MB, `${grown} bytes more`);
  });

  it('a reader that stops reading holds its command up, and nobody’s memory fills', async function () {
    this.timeout(patience(30_000));
    const source = `${MEASURE}
      const jail = await Jail.create(spec);
      const command = jail.spawn('cat', ['/dev/zero']);
      command.stdout.pause();
      const before = rssOf(process.pid);
      await sleep(1500);
      const grown = rssOf(process.pid) - before;
      const { stdout } = await jail.exec('echo', ['others go on']);
      command.kill('SIGKILL');
      command.stdout.resume();
      await command.exited;
      say({ grown, stdout });
      await jail.stop();`;
    await using program = new Program(source, jails.spec(), FLAGS);
    const { grown, stdout } = await program.next<{ grown: number; stdout: string }>();
    assert.equal(stdout, 'others go on\n');
    assert(grown < 8 * MB, `${grown} bytes more`);
  });

  it(`an event loop that is blocked for ${BLOCKED_MS} ms loses no end of a command`, async function () {
    this.timeout(patience(BLOCKED_MS + 30_000));
    const before = new Snapshot(jails.root.outside);
    const jail = await jails.create();
    const commands = Array.from({ length: 40 }, (_, i) =>
      jail.spawn('sh', [
        '-c',
        `echo ${i}; sleep 0.${i % 10}; ${i % 4 === 3 ? 'kill -9 $$' : `exit ${i}`}`,
      ]),
    );
    const texts = commands.map(async ({ stdout }) => {
      let text = '';
      for await (const piece of stdout ?? []) text += piece;
      return text;
    });
    await Promise.all(commands.map(({ pid }, i) => pid ?? onSpawn(commands[i])));
    block(BLOCKED_MS);
    const ends = await Promise.all(commands.map(({ exited }) => exited));
    const expected = commands.map((_, i) =>
      i % 4 === 3 ? { exitCode: null, signal: 'SIGKILL' } : { exitCode: i, signal: null },
    );
    assert.deepEqual(
      ends.map(({ exitCode, signal }) => ({ exitCode, signal })),
      expected,
    );
    assert.deepEqual(
      await Promise.all(texts),
      commands.map((_, i) => `${i}\n`),
    );
    for (const { usage } of ends)
      assert(usage.wallTime < BLOCKED_MS, 'its own time, not that of the news');
    await jail.stop();
    await before.assertNothingLeft();
  });
});

function onSpawn(
  command: { once(event: 'spawn', listener: () => void): unknown } | undefined,
): Promise<void> {
  return new Promise((resolve) => void command?.once('spawn', () => resolve()));
}

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    // nothing else gets to run
  }
}
