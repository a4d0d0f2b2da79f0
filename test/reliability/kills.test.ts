import assert from 'node:assert/strict';
import { Jail, JailError, listJails, recover } from 'dragonfly-jail';
import { nextIPv4 } from '../support/addresses.js';
import { isRoot, onDragonfly, patience, sleep, within } from '../support/environment.js';
import { descendants, type HostProcess, killOnHost, monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { byLength } from '../support/length.js';
import { Program } from '../support/programs.js';
import { Random, seedOfThisRun } from '../support/random.js';

// Whoever keeps a jail is killed at some moment of its life, again and again. What is left then, recover() removes.

// Of each of the four who may be killed.
const ROUNDS = byLength(5, 250);
// On DragonFly there is no anchor; who recovers can be killed as well.
const VICTIMS = onDragonfly ? (['monitor'] as const) : (['monitor', 'anchor', 'both'] as const);
const MOST_MS = 250;
const HANG_MS = 30_000;

// Makes jails, uses and stops them until it is killed.
const BUSY = `
  say('begins');
  for (let i = 0; ; i++) {
    const jail = await Jail.create({ ...spec, persist: i % 3 === 2 });
    jail.spawn('sh', ['-c', 'sleep 1000 & sleep 1000']).on('error', () => {});
    await jail.exec('true');
    await jail.stop({ graceMs: 0 });
  }`;

// Takes back what the dead have left, again and again until it is killed.
const RECOVER = `
  say('begins');
  for (;;) await dfjail.recover();`;

describe('killed at a random moment', () => {
  const jails = useJails();
  const random = new Random(seedOfThisRun());

  before(() =>
    console.log(`    ${ROUNDS} rounds each; DFJAIL_TEST_SEED=${random.seed} repeats them`),
  );

  it('the program that makes jails: its jails go, or recover() removes them', async function () {
    this.timeout(patience(byLength(60_000, 3_600_000)));
    const before = new Snapshot(jails.root.outside);
    const counts = { recovered: 0, persistent: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const spec = { ...jails.spec(), name: 'killed', addresses: [nextIPv4()] };
      await using program = new Program(BUSY, spec, { quiet: true });
      await program.next();
      await sleep(random.below(MOST_MS));
      await program.kill();
      await clearAway(before, counts);
    }
    console.log(`      ${JSON.stringify(counts)}`);
  });

  for (const victim of VICTIMS) {
    it(`the ${victim}: whoever waits is told, and nothing is left`, async function () {
      this.timeout(patience(byLength(60_000, 3_600_000)));
      const before = new Snapshot(jails.root.outside);
      const counts = { whole: 0, told: 0, recovered: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        const life = within('a life', HANG_MS, lifeOfOne());
        const killed = killAfter(random.below(MOST_MS), victim);
        const errors = await life;
        await killed;
        for (const error of errors) assert(error instanceof JailError, String(error));
        errors.length === 0 ? counts.whole++ : counts.told++;
        counts.recovered += await recoverAll();
        await before.assertNothingLeft(10_000);
      }
      console.log(`      ${JSON.stringify(counts)}`);
    });
  }

  it('the one who recovers: the next one finishes', async function () {
    this.timeout(patience(byLength(60_000, 3_600_000)));
    const before = new Snapshot(jails.root.outside);
    const counts = { recovered: 0, persistent: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const spec = { ...jails.spec(), name: 'killed', addresses: [nextIPv4()] };
      await using program = new Program(BUSY, spec, { quiet: true });
      await program.next();
      await sleep(random.below(MOST_MS));
      killAll(program);
      await program.ended;
      await using recovering = new Program(RECOVER, spec, { quiet: true });
      await recovering.next();
      await sleep(random.below(MOST_MS / 5));
      await recovering.kill();
      await clearAway(before, counts);
    }
    console.log(`      ${JSON.stringify(counts)}`);
  });

  // Its monitors first, so that none of them takes anything back.
  function killAll(program: Program): void {
    process.kill(program.pid, 'SIGSTOP');
    for (const { pid } of monitorsOf(program.pid)) killIfThere(pid);
    process.kill(program.pid, 'SIGKILL');
  }

  async function lifeOfOne(): Promise<unknown[]> {
    const errors: unknown[] = [];
    const note = (error: unknown) => void errors.push(error);
    const limits = isRoot && !onDragonfly ? { processes: 50 } : {};
    const spec = jails.spec({ name: 'killed', addresses: [nextIPv4()], limits });
    const jail = await Jail.create(spec).catch(note);
    if (!jail) return errors;
    const daemon = jail.spawn('sleep', ['1000']);
    daemon.on('error', note);
    daemon.exited.catch(note);
    for (let i = 0; i < 3; i++) await jail.exec('true').catch(note);
    await jail.stop({ graceMs: 0 }).catch(note);
    await daemon.exited.catch(note);
    return errors;
  }

  // They are told by their name, and by being ours.
  async function killAfter(ms: number, victim: 'monitor' | 'anchor' | 'both'): Promise<void> {
    await sleep(ms);
    const monitors = monitorsOf(process.pid);
    const below = monitors.flatMap(({ pid }) => descendants(pid));
    const anchors = below.filter(({ command }) => command === 'jail-anchor');
    const victims: HostProcess[] = [];
    if (victim !== 'anchor') victims.push(...monitors);
    if (victim !== 'monitor') victims.push(...anchors);
    for (const { pid } of victims) killIfThere(pid);
  }

  // A jail that was being made when its maker was killed, and is to stay, is there only a moment later.
  async function clearAway(before: Snapshot, counts: { recovered: number; persistent: number }) {
    for (const end = Date.now() + 10_000; ; ) {
      counts.persistent += await stopPersistent();
      counts.recovered += await recoverAll();
      try {
        await before.assertNothingLeft(500);
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  async function recoverAll(): Promise<number> {
    const all = await recover();
    assert.deepEqual(
      all.flatMap(({ failed }) => failed),
      [],
    );
    return all.length;
  }

  async function stopPersistent(): Promise<number> {
    const found = listJails().filter(
      ({ name, path }) => name === 'killed' && path === jails.root.path,
    );
    for (const { jid } of found) await stopOne(jid);
    return found.length;
  }
});

async function stopOne(jid: number): Promise<void> {
  try {
    const jail = await Jail.open(jid);
    await jail.stop({ graceMs: 0 });
  } catch (error) {
    // One that was about to go has gone by itself.
    assert.equal((error as JailError).code, 'ERR_JAIL_NOT_FOUND', String(error));
  }
}

function killIfThere(pid: number): void {
  try {
    killOnHost(pid, 'SIGKILL');
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}
