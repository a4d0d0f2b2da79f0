import assert from 'node:assert/strict';
import { Jail, listJails } from 'dragonfly-jail';
import { eventually, skipOnDragonfly, sleep } from '../support/environment.js';
import { killOnHost, registeredNames } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { Program } from '../support/programs.js';

// A jail that outlives its maker is for those who know of it. Where the maker is killed while it is made, nobody does.

const ROUNDS = byLength(5, 50);
const NAME = `unheard_${process.pid}`;

const MAKE = `
  say('begins');
  await Jail.create({ ...spec, persist: true });
  say('made');
  await sleep(1_000_000);`;

describe('a jail that outlives its maker', () => {
  const jails = useJails();
  const spec = () => ({ ...jails.spec(), name: NAME });
  const isThere = () => listJails().some(({ name }) => name === NAME);

  before(function () {
    skipOnDragonfly(this, 'nobody is told there that a message was not read');
  });
  afterEach(async () => {
    if (isThere()) await (await Jail.open(NAME)).stop({ graceMs: 0 });
  });

  it('is there when a maker is killed that has heard of it', async () => {
    await using program = new Program(MAKE, spec());
    await program.next();
    assert.equal(await program.next(), 'made');
    await program.kill();
    await sleep(200);
    assert(isThere());
    await using jail = await Jail.open(NAME);
    assert.equal((await jail.exec('echo', ['works'])).stdout, 'works\n');
    await jail.stop({ graceMs: 0 });
  });

  it('goes with one that is killed before', async function () {
    this.timeout(60_000);
    let unheard = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await using program = new Program(MAKE, spec(), { quiet: true });
      await program.next();
      while (!registeredNames().some(({ name }) => name === NAME)) await sleep(0);
      killOnHost(program.pid, 'SIGSTOP');
      const early = !isThere();
      await eventually(() => assert(isThere()), 5000);
      await sleep(20);
      await program.kill();
      // Ready when it was stopped, it may have heard of it or not.
      if (early) await eventually(() => assert(!isThere(), 'it is left'), 3000);
      else if (isThere()) await (await Jail.open(NAME)).stop({ graceMs: 0 });
      unheard += early ? 1 : 0;
    }
    console.log(`      ${unheard} of ${ROUNDS} makers were stopped in time`);
    assert(unheard > 0);
  });
});
