import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { onDragonfly, patience, skip, sleep } from '../support/environment.js';
import { hostInterfaces, hostRoutesTo } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { Program } from '../support/programs.js';
import { Random, seedOfThisRun } from '../support/random.js';

const ROUNDS = byLength(20, 200);
const JAILS = 3;
const MOST_MS = 8;

describe('addresses that several jails have', () => {
  const jails = useJails();
  const random = new Random(seedOfThisRun());

  before(function () {
    if (!onDragonfly) skip(this, 'jails of Linux share no addresses');
  });

  it(`are gone with the last of them, however they end: ${ROUNDS} rounds`, async function () {
    this.timeout(patience(byLength(120_000, 1_200_000)));
    console.log(`      DFJAIL_TEST_SEED=${random.seed} repeats them`);
    const pool = [nextIPv4(), nextIPv4(), nextIPv6(), nextIPv6()];
    const before = hostInterfaces();
    for (let round = 0; round < ROUNDS; round++) {
      const chosen = Array.from({ length: JAILS }, () => pool.filter(() => random.below(3) > 0));
      const made = await Promise.all(chosen.map((addresses) => jails.create({ addresses })));
      for (const address of chosen.flat()) assert.equal(hostRoutesTo(address).length, 1, address);
      const delays = made.map(() => random.below(MOST_MS));
      await Promise.all(
        made.map(async (jail, i) => {
          await sleep(delays[i]);
          await jail.stop({ graceMs: 0 });
        }),
      );
      const what = `round ${round}: ${JSON.stringify({ chosen, delays })}`;
      assert.deepEqual(hostInterfaces(), before, what);
    }
  });

  it('stay while one of them is there, be it of another registry', async () => {
    const address = nextIPv4();
    const state = join(jails.root.outside, 'other-state');
    mkdirSync(state, { mode: 0o700 });
    const spec = jails.spec({ addresses: [address] });
    const source = `
      const jail = await Jail.create(spec);
      say(jail.jid);
      await heard();
      await jail.stop();
      say('stopped');`;
    const env = { DRAGONFLY_JAIL_STATE: state };
    await using program = new Program(source, spec, { env });
    const jail = await jails.create({ addresses: [address] });
    await program.next();
    await jail.stop();
    assert.equal(hostRoutesTo(address).length, 1, 'it was taken from the other one');
    program.tell();
    assert.equal(await program.next(), 'stopped');
    assert.deepEqual(hostRoutesTo(address), []);
  });
});
