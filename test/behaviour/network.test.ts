import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Jail } from 'dragonfly-jail';
import { nextIPv4, nextIPv6, nextPort } from '../support/addresses.js';
import {
  eventually,
  needRoot,
  nodePath,
  onModel,
  skipOnModel,
  within,
} from '../support/environment.js';
import { hostInterfaces, hostRoutesTo } from '../support/host.js';
import { attempt, compileHostile } from '../support/hostile.js';
import { useJails } from '../support/jails.js';

// A server in the jail that tells each caller which address it was called at and from where.
const serve = (addresses: readonly string[], port: number) => `
  const net = require('node:net');
  let left = ${addresses.length};
  for (const host of ${JSON.stringify(addresses)}) {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end(JSON.stringify({ at: socket.localAddress, from: socket.remoteAddress }));
    });
    server.on('error', (error) => { console.log(error.code); process.exit(1); });
    server.listen(${port}, host, () => { if (--left === 0) console.log('ready'); });
  }`;

// What a program in the jail gets when it calls an address: the first bytes, or the error's code.
const call = (host: string, port: number) => `
  const socket = require('node:net').connect({ host: '${host}', port: ${port} });
  socket.setTimeout(3000, () => socket.destroy(Object.assign(new Error(), { code: 'TIMEOUT' })));
  socket.on('data', (data) => { process.stdout.write(data); socket.destroy(); });
  socket.on('error', (error) => process.stdout.write(error.code));`;

async function startServer(jail: Jail, addresses: readonly string[], port: number) {
  const server = jail.spawn(nodePath, ['-e', serve(addresses, port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await within('the server', 10_000, once(server.stdout as Readable, 'data'));
  assert.equal(String(line), 'ready\n');
  return server;
}

async function callFromHost(host: string, port: number): Promise<{ at: string; from: string }> {
  const socket = connect({ host, port });
  return JSON.parse(await within(`a call of ${host}`, 5000, text(socket)));
}

async function callInJail(jail: Jail, host: string, port: number): Promise<string> {
  const { stdout } = await jail.exec(nodePath, ['-e', call(host, port)], { timeout: 10_000 });
  return String(stdout);
}

async function listenOnHost(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('the host');
  });
  server.listen(0, host);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('the network of a jail', () => {
  const jails = useJails();

  beforeEach(function () {
    skipOnModel(this, 'servers in its jails cannot be called from this machine');
  });

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
      const { server, port: hostPort } = await listenOnHost(from);
      try {
        assert.equal(await callInJail(jail, from, hostPort), 'the host');
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
      const seen = new Promise<string>((done) => {
        const host = createServer((socket) => {
          done(socket.remoteAddress ?? '');
          socket.end('x');
          host.close();
        });
        host.listen(port + 10_000, from);
      });
      assert.equal(await callInJail(jail, from, port + 10_000), 'x');
      assert.equal(await seen, primary);
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
      const { server, port } = await listenOnHost(loopback);
      try {
        assert.equal(await callInJail(jail, loopback, port), 'ECONNREFUSED');
      } finally {
        server.close();
      }
      const inner = nextPort();
      await startServer(jail, [loopback], inner);
      assert.equal(JSON.parse(await callInJail(jail, loopback, inner)).at, loopback);
      const outside = connect({ host: loopback, port: inner });
      const [error] = await once(outside, 'error');
      assert.equal(error.code, 'ECONNREFUSED');
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

  it('can be joined to every address of the jail by programs in it', async () => {
    const addresses = Array.from({ length: 20 }, (_, i) => (i % 2 ? nextIPv6() : nextIPv4()));
    const jail = await jails.create({ addresses });
    const port = nextPort();
    await startServer(jail, addresses, port);
    for (const address of addresses.slice(-2)) {
      assert.equal(JSON.parse(await callInJail(jail, address, port)).at, address);
    }
  });

  async function addressesInside(jail: Jail): Promise<string[]> {
    const script = `console.log(JSON.stringify(Object.values(require('node:os').networkInterfaces())
      .flat().map((entry) => entry.address).filter((address) => !/^(127\\.0\\.0\\.1|::1|fe80.*)$/.test(address))))`;
    const { stdout } = await jail.exec(nodePath, ['-e', script]);
    return JSON.parse(String(stdout));
  }
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
      const wanted = onModel ? 'EINVAL' : 'EADDRNOTAVAIL';
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
