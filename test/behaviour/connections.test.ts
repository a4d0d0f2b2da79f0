import assert from 'node:assert/strict';
import { findJails, Jail, listJails } from 'dragonfly-jail';
import { nextIPv4, nextIPv6, nextPort } from '../support/addresses.js';
import { needRoot, patience, within } from '../support/environment.js';
import { hostRoutesTo } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { callFromHost, startServer } from '../support/network.js';

const TIMES = 10;
const CALLS = 5;
const MOST_MS = 1000;

describe('a jail that has closed connections', () => {
  const jails = useJails();

  // The kernel remembers each of them for a minute, and on DragonFly the jail with it.
  it(`stops, and is started again at once as the same, ${TIMES} times`, async function () {
    needRoot(this);
    this.timeout(patience(120_000));
    const addresses = [nextIPv4(), nextIPv6()];
    const port = nextPort();
    const spec = jails.spec({ name: 'server', hostname: 'server.test', addresses });
    let took = 0;
    let jail = await Jail.create(spec);
    for (let time = 0; time < TIMES; time++) {
      await startServer(jail, addresses, port);
      for (const address of addresses)
        for (let call = 0; call < CALLS; call++)
          assert.equal((await callFromHost(address, port)).at, address);
      const start = performance.now();
      await within('stop()', 10_000, jail.stop({ graceMs: 100 }));
      assert.deepEqual(findJails({ hostname: 'server.test' }), [], 'it is still listed');
      for (const address of addresses) assert.deepEqual(hostRoutesTo(address), []);
      jail = await Jail.create(spec);
      took = Math.max(took, performance.now() - start);
    }
    jails.keep(jail);
    assert.equal(jail.name, 'server');
    assert.equal(listJails().filter(({ name }) => name === 'server').length, 1);
    assert(took < patience(MOST_MS), `stopping it and making it again took ${took.toFixed()} ms`);
  });
});
