import assert from 'node:assert/strict';
import { freemem } from 'node:os';
import { median, onRealDragonfly, patience, skip } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

const GIGABYTE = 2 ** 30;

// Milliseconds of one round.
interface Times {
  spawns: number[];
  creates: number[];
  gaps: number[];
  /** What child_process.spawn() takes. */
  forks: number[];
}

interface Measured {
  heap: number;
  rounds: Times[];
}

const WAITED = `
  const schedule = openSync('/proc/thread-self/schedstat', 'r');
  const text = Buffer.alloc(96);
  function waited() {
    const size = readSync(schedule, text, 0, 96, 0);
    return Number(text.latin1Slice(0, size).split(' ')[1]) / 1e6;
  }`;

// Fills the heap with living objects, then takes the time of the calls themselves, and of the longest pause of the event
// loop while a jail is made. The time that other programs had this program's processor is not counted.
const MEASURE = (gigabytes: number) => `
  import { spawn as fork } from 'node:child_process';
  import { once } from 'node:events';
  import { openSync, readSync } from 'node:fs';
  const keep = [];
  for (let i = 0; i < ${Math.round(gigabytes * 131_072)}; i++) {
    const numbers = new Array(1024);
    for (let n = 0; n < 1024; n++) numbers[n] = i + n + 0.5;
    keep.push(numbers);
  }
${onRealDragonfly ? 'const waited = () => 0;' : WAITED}
  function take(call) {
    const before = waited();
    const start = performance.now();
    const result = call();
    const wall = performance.now() - start;
    return [result, Math.max(0, wall - (waited() - before))];
  }
  function watchLoop() {
    let longest = 0, last = performance.now(), wait = waited(), going = true;
    setImmediate(function turn() {
      const now = performance.now(), nowWaited = waited();
      longest = Math.max(longest, now - last - (nowWaited - wait));
      wait = nowWaited;
      last = performance.now();
      if (going) setImmediate(turn);
    });
    return () => { going = false; return longest; };
  }
  async function round() {
    const times = { spawns: [], creates: [], gaps: [], forks: [] };
    for (let i = 0; i < 15; i++) {
      const end = watchLoop();
      const [making, time] = take(() => Jail.create(spec));
      times.creates.push(time);
      const jail = await making;
      times.gaps.push(end());
      for (let n = 0; n < 4; n++) {
        const [command, time] = take(() => jail.spawn('true'));
        times.spawns.push(time);
        await command.exited;
      }
      await jail.stop();
      const [child, forked] = take(() => fork('/bin/sleep', ['0'], { stdio: 'ignore' }));
      times.forks.push(forked);
      await once(child, 'exit');
    }
    return times;
  }
  await round();
  const rounds = [await round(), await round(), await round()];
  say({ heap: process.memoryUsage().heapUsed, rounds });
  if (keep.length === 1) say('never: the objects live until here');`;

describe('the event loop', () => {
  const jails = useJails();

  async function measure(gigabytes: number): Promise<Measured> {
    const flags = ['--max-old-space-size=8192', '--max-semi-space-size=16'];
    await using program = new Program(MEASURE(gigabytes), jails.spec(), { flags });
    return await program.next<Measured>();
  }

  // What else the machine does can only make the times longer: the best round is the one to judge by.
  function best({ rounds }: Measured, what: keyof Times): number {
    return Math.min(...rounds.map((times) => median(times[what])));
  }

  function check(measured: Measured): void {
    const spawn = best(measured, 'spawns');
    const create = best(measured, 'creates');
    const gap = best(measured, 'gaps');
    if (onRealDragonfly) {
      // On processors that are emulated as often as not: beside what Node's own fork takes on them.
      const fork = best(measured, 'forks');
      assert(spawn < 0.3 * fork, `spawn() took ${spawn.toFixed(3)} ms, a fork ${fork.toFixed(3)}`);
      assert(create < fork, `create() took ${create.toFixed(3)} ms, a fork ${fork.toFixed(3)}`);
      return;
    }
    assert(spawn < 0.3, `spawn() took ${spawn.toFixed(3)} ms`);
    assert(create < 1, `create() took ${create.toFixed(3)} ms`);
    assert(gap < 1, `create() held the loop for ${gap.toFixed(3)} ms`);
  }

  it('is held by spawn for less than 0.3 ms, by create for less than 1 ms', async function () {
    this.timeout(patience(60_000));
    check(await measure(0));
  });

  it('is so with 2 GB of living objects as well', async function () {
    this.timeout(patience(120_000));
    if (freemem() < 4 * GIGABYTE) skip(this, 'needs 4 GB of free memory');
    const times = await measure(2);
    assert(times.heap > 1.9 * GIGABYTE, `${times.heap} bytes of heap`);
    check(times);
  });
});
