import assert from 'node:assert/strict';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Jail } from 'dragonfly-jail';
import { nextIPv4, nextIPv6, nextPort } from '../support/addresses.js';
import {
  eventually,
  needRoot,
  onDragonfly,
  skipOnDragonfly,
  sleep,
} from '../support/environment.js';
import { hostInterfaces, hostRoutesTo } from '../support/host.js';
import { attempt, compileHostile } from '../support/hostile.js';
import { useJails } from '../support/jails.js';
import {
  addressesInside,
  asHostNames,
  callFromHost,
  callInJail,
  listenOnHost,
  startServer,
} from '../support/network.js';

describe('the network of a jail', () => {
  const jails = useJails();

  it('answers at every address of both families from the host', async function () {
    needRoot(this);
    const addresses = [nextIPv4(), nextIPv6(), nextIPv4(), nextIPv6()];
    const jail = await jails.create({ addresses });
    const port = nextPort();
    await startServer(jail, addresses, port);
    for (const address of addresses) {
      assert.equal((await callFromHost(address, port)).at, address);
    }
  });

  it('answers at once after the jail was made', async function () {
    needRoot(this);
    const address = nextIPv6();
    const jail = await jails.create({ addresses: [address] });
    const port = nextPort();
    await startServer(jail, [address], port);
    const start = performance.now();
    await callFromHost(address, port);
    assert(performance.now() - start < 500, 'an IPv6 address must not wait for others to object');
  });

  it('reaches the host by the addresses that it calls from', async function () {
    needRoot(this);
    for (const address of [nextIPv4(), nextIPv6()]) {
      const jail = await jails.create({ addresses: [address] });
      const port = nextPort();
      await startServer(jail, [address], port);
      const { from } = await callFromHost(address, port);
      const server = await listenOnHost(asHostNames(jail, from));
      try {
        assert.equal(await callInJail(jail, from, server.port), 'the host');
      } finally {
        server.close();
      }
    }
  });

  it('calls from its first address of the family', async function () {
    needRoot(this);
    const addresses = [nextIPv4(), nextIPv4(), nextIPv6(), nextIPv6()];
    const jail = await jails.create({ addresses });
    for (const [primary, any] of [
      [addresses[0], '0.0.0.0'],
      [addresses[2], '::'],
    ] as const) {
      const port = nextPort();
      const server = await startServer(jail, [addresses[any === '::' ? 2 : 0] ?? ''], port);
      const { from } = await callFromHost(primary ?? '', port);
      const host = await listenOnHost(asHostNames(jail, from));
      assert.equal(await callInJail(jail, from, host.port), 'the host');
      assert.equal(await host.caller, primary);
      host.close();
      server.kill('SIGKILL');
    }
  });

  it('lets two jails listen on the same port', async () => {
    const [one, two] = [nextIPv4(), nextIPv4()];
    const first = await jails.create({ addresses: [one] });
    const second = await jails.create({ addresses: [two] });
    const port = nextPort();
    await startServer(first, ['0.0.0.0'], port);
    await startServer(second, ['0.0.0.0'], port);
    assert.equal(JSON.parse(await callInJail(first, one, port)).at, one);
    assert.equal(JSON.parse(await callInJail(second, two, port)).at, two);
  });

  it('is its own at 127.0.0.1 and ::1', async () => {
    const jail = await jails.create({ addresses: [nextIPv4(), nextIPv6()] });
    for (const loopback of ['127.0.0.1', '::1']) {
      const server = await listenOnHost(loopback);
      try {
        const said = await callInJail(jail, loopback, server.port);
        // There who listens at ::1 alone answers at the other IPv6 addresses of lo0, without jails too.
        const answers = onDragonfly && loopback === '::1';
        assert.match(said, answers ? /^(ECONNREFUSED|the host)$/ : /^ECONNREFUSED$/);
      } finally {
        server.close();
      }
      const inner = nextPort();
      await startServer(jail, [loopback], inner);
      // On DragonFly it stands for the first address of the family.
      const at = jail
        .info()
        .addresses.find(({ family }) => (family === 'IPv6') === (loopback === '::1'));
      const { at: reached } = JSON.parse(await callInJail(jail, loopback, inner));
      assert.equal(reached, onDragonfly ? at?.address : loopback);
      await assert.rejects(callFromHost(loopback, inner), { code: 'ECONNREFUSED' });
    }
  });

  it('has the addresses of the jail and of nobody else', async () => {
    const addresses = [nextIPv4(), nextIPv6()];
    const jail = await jails.create({ addresses });
    const seen = await addressesInside(jail);
    assert.deepEqual(seen.sort(), [...addresses].sort());
  });

  it('is not there in a jail without addresses', async () => {
    const jail = await jails.create();
    assert.deepEqual(await addressesInside(jail), []);
    const [own = '192.0.2.1'] = hostAddresses();
    assert.match(await callInJail(jail, own, 9), /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/);
  });

  it('leaves neither interface nor route on the host', async function () {
    needRoot(this);
    const addresses = [nextIPv4(), nextIPv6()];
    const before = hostInterfaces();
    const jail = await jails.create({ addresses });
    const made = hostInterfaces().filter((name) => !before.includes(name));
    for (const address of addresses) assert.notDeepEqual(hostRoutesTo(address), [], address);
    await jail.stop();
    await eventually(() => {
      for (const address of addresses) assert.deepEqual(hostRoutesTo(address), []);
    });
    const left = hostInterfaces();
    assert(made.length === 0 || made.some((name) => !left.includes(name)), 'the interface is left');
  });

  it('leaves nothing on the host while something else holds it, nor after a while', async function () {
    needRoot(this);
    skipOnDragonfly(this, 'a jail has the network of the host');
    for (const held of [false, true]) {
      const addresses = [nextIPv4(), nextIPv6()];
      const before = hostInterfaces();
      const jail = await jails.create({ addresses });
      const command = jail.spawn('sleep', ['60']);
      await once(command, 'spawn');
      await sleep(150); // the kernel ends the network of an older jail by itself
      const holder = held ? await open(`/proc/${command.pid}/ns/net`) : null;
      await jail.stop({ graceMs: 0 });
      assert.deepEqual(hostInterfaces(), before);
      for (const address of addresses) assert.deepEqual(hostRoutesTo(address), []);
      await holder?.close();
    }
  });

  it('can be joined to every address of the jail by programs in it', async () => {
    const addresses = Array.from({ length: 20 }, (_, i) => (i % 2 ? nextIPv6() : nextIPv4()));
    const jail = await jails.create({ addresses });
    const port = nextPort();
    await startServer(jail, addresses, port);
    for (const address of addresses.slice(-2)) {
      assert.equal(JSON.parse(await callInJail(jail, address, port)).at, address);
    }
  });
});

describe('an address that is not the jail’s', () => {
  const jails = useJails();
  let jail: Jail;
  const foreign = ['10.99.99.99', 'fd99::99', ...hostAddresses()];

  before(function () {
    compileHostile(this, jails.root);
  });
  beforeEach(async () => {
    jail = await jails.create({ addresses: [nextIPv4(), nextIPv6()] });
  });

  it('cannot be bound', async () => {
    for (const address of foreign) {
      const wanted = onDragonfly ? 'EINVAL' : 'EADDRNOTAVAIL';
      assert.equal(await attempt(jail, 'bind', address, '0'), wanted, address);
    }
  });

  it('cannot be bound even with the socket options made for it', async () => {
    const ways = ['free', 'free4', 'transparent', 'transparent4', 'free32', 'x32', 'high'];
    for (const address of foreign) {
      for (const way of ways) {
        const outcome = await attempt(jail, 'bind', address, '0', way);
        assert.notEqual(outcome, 'ok', `${address} with ${way}`);
      }
    }
  });

  it('cannot be bound even with rawSockets', async () => {
    const raw = await jails.create({
      addresses: [nextIPv4(), nextIPv6()],
      capabilities: { rawSockets: true },
    });
    for (const address of foreign) {
      for (const way of ['free', 'transparent']) {
        assert.notEqual(await attempt(raw, 'bind', address, '0', way), 'ok', `${address} ${way}`);
      }
    }
  });

  it('can neither be added nor sent from', async () => {
    assert.match(await attempt(jail, 'add', '10.99.99.99'), /^(EPERM|EACCES)$/);
    assert.notEqual(await attempt(jail, 'sendfrom', '10.99.99.99'), 'ok');
  });

  it('is told from the jail’s own, which can be bound, also to low ports', async () => {
    const [own] = jail.info().addresses;
    assert.equal(await attempt(jail, 'bind', own?.address ?? '', '0'), 'ok');
    assert.equal(await attempt(jail, 'bind', own?.address ?? '', '80'), 'ok');
    assert.equal(await attempt(jail, 'bind', '0.0.0.0', '80'), 'ok');
    assert.equal(await attempt(jail, 'bind', '::', '80'), 'ok');
  });
});

function hostAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address);
}
