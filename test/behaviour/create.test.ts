import assert from 'node:assert/strict';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { Jail, JailError, type JailSpec, listJails } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { needRoot, onDragonfly, skip, skipOnDragonfly } from '../support/environment.js';
import { hostMounts, hostRoutesTo } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { makeRoot } from '../support/roots.js';

describe('creating a jail', () => {
  const jails = useJails();

  it('gives it the path and the hostname that were asked for', async () => {
    const jail = await jails.create({ hostname: 'www.example.org' });
    const info = jail.info();
    assert.equal(info.path, jails.root.path);
    assert.equal(info.hostname, 'www.example.org');
    assert.equal(info.name, null);
    assert.deepEqual(info.addresses, []);
    assert.equal(info.confirmed, true);
    assert.equal(info.owned, true);
    assert.equal((await jail.exec('uname', ['-n'])).stdout, 'www.example.org\n');
  });

  it('shows the directory as the root of its commands', async () => {
    const jail = await jails.create();
    const { stdout } = await jail.exec('sh', ['-c', 'cd / && echo * && cat etc/passwd']);
    assert.match(String(stdout), /\betc\b.*\busr\b/);
    assert.match(String(stdout), /^nobody:/m);
  });

  it('takes a path with a space and letters of other languages', async () => {
    const root = await makeRoot('a jail für zwei');
    try {
      const jail = await jails.create({ path: root.path, mounts: root.mounts });
      assert.equal(jail.info().path, root.path);
      assert.equal((await jail.exec('echo', ['in'])).stdout, 'in\n');
      await jail.stop();
    } finally {
      await root.remove();
    }
  });

  it('runs in a jail without any mounts whatever needs none', async () => {
    const jail = await jails.create({ mounts: [] });
    assert.equal(jail.info().state, 'empty');
  });

  it('gives each jail an id of its own, from 1 to 999,998', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => jails.create()));
    const jids = all.map(({ jid }) => jid);
    assert.equal(new Set(jids).size, 8);
    for (const jid of jids) assert(Number.isInteger(jid) && jid >= 1 && jid <= 999_998, `${jid}`);
  });

  it('keeps the name, by which no second jail can be made', async () => {
    const name = `web_${process.pid}`;
    const jail = await jails.create({ name });
    assert.equal(jail.name, name);
    assert.equal(jail.info().name, name);
    await assert.rejects(jails.create({ name }), { code: 'ERR_JAIL_EXISTS' });
    await jail.stop();
    assert.equal((await jails.create({ name })).name, name);
  });

  it('says that it is empty until a command runs in it', async () => {
    const jail = await jails.create();
    assert.equal(jail.info().state, 'empty');
    const command = jail.spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(command, 'spawn');
    assert.equal(jail.info().state, 'running');
  });

  it('leaves the host as it was: its hostname and its mounts', async () => {
    const before = { hostname: hostname(), mounts: hostMounts() };
    await jails.create({ hostname: 'another.name' });
    assert.deepEqual({ hostname: hostname(), mounts: hostMounts() }, before);
  });

  it('does not change what the caller gave, nor depend on it later', async () => {
    const spec: JailSpec = Object.freeze(jails.spec({ addresses: Object.freeze([nextIPv4()]) }));
    const copy = structuredClone(spec);
    jails.keep(await Jail.create(spec));
    assert.deepEqual(spec, copy);
  });
});

describe('the addresses of a jail', () => {
  const jails = useJails();

  it('are listed in the order given and in their canonical form', async () => {
    const [first, second] = [nextIPv4(), nextIPv4()];
    const long = nextIPv6().replace('fd77::', 'FD77:0:0:0:00:0:');
    const last = nextIPv6();
    const jail = await jails.create({ addresses: [first, long, { address: second }, last] });
    const canonical = long.toLowerCase().replace('fd77:0:0:0:00:0:', 'fd77::');
    const wanted = [
      { address: first, family: 'IPv4' },
      { address: canonical, family: 'IPv6' },
      { address: second, family: 'IPv4' },
      { address: last, family: 'IPv6' },
    ];
    assert.deepEqual(jail.info().addresses, wanted);
    assert.deepEqual(listJails().find(({ jid }) => jid === jail.jid)?.addresses, wanted);
  });

  it('can be many of both families', async () => {
    // On DragonFly as many as the kernel's list has room for beside the longest hostname.
    const length = onDragonfly ? 40 : 64;
    const addresses = Array.from({ length }, (_, i) => (i % 2 ? nextIPv6() : nextIPv4()));
    const jail = await jails.create({ addresses });
    assert.deepEqual(
      jail.info().addresses.map(({ address }) => address),
      addresses,
    );
  });

  it('leave room in the kernel’s list for the hostname that a jail may give itself', async function () {
    if (!onDragonfly) skip(this, 'only DragonFly has such a list');
    const addresses = Array.from({ length: 80 }, () => nextIPv4());
    await assert.rejects(jails.create({ addresses }), { code: 'ERR_JAIL_LIMIT' });
  });

  it('are all listed, however many and however long, or are refused', async () => {
    const last = (i: number) => (i + 4096).toString(16);
    const addresses = Array.from(
      { length: 256 },
      (_, i) => `fd77:1111:2222:3333:4444:5555:${last(process.pid % 60_000)}:${last(i)}`,
    );
    if (onDragonfly) {
      // More than a list that many jails share has room for.
      await assert.rejects(jails.create({ addresses }), { code: 'ERR_JAIL_LIMIT' });
      return;
    }
    const jail = await jails.create({ addresses });
    assert.deepEqual(
      jail.info().addresses.map(({ address }) => address),
      addresses,
    );
  });

  it('can be the host’s own on DragonFly, which keeps them', async function () {
    if (!onDragonfly) skip(this, 'jails of Linux have a network of their own');
    const before = hostRoutesTo('127.0.0.1');
    assert.equal(before.length, 1);
    const jail = await jails.create({ addresses: ['127.0.0.1'] });
    assert.equal(jail.info().addresses[0]?.address, '127.0.0.1');
    await jail.stop();
    assert.deepEqual(hostRoutesTo('127.0.0.1'), before);
  });

  it('cannot be the host’s own', async function () {
    skipOnDragonfly(this, 'its jails share the host’s network');
    const { networkInterfaces } = await import('node:os');
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const own = all.filter(({ internal, scopeid }) => !internal && !scopeid);
    if (own.length === 0) skip(this, 'this host has no address to try it with');
    for (const { address } of own) {
      await assert.rejects(jails.create({ addresses: [nextIPv4(), address] }), {
        code: 'ERR_JAIL_ADDRESS_IN_USE',
      });
    }
  });

  it('cannot be those of another jail that is reachable by them', async function () {
    needRoot(this);
    skipOnDragonfly(this, 'its jails may share an address');
    const address = nextIPv4();
    const jail = await jails.create({ addresses: [address] });
    await assert.rejects(jails.create({ addresses: [address] }), {
      code: 'ERR_JAIL_ADDRESS_IN_USE',
    });
    await jail.stop();
    assert.equal((await jails.create({ addresses: [address] })).info().addresses.length, 1);
  });
});

describe('the limits of a jail', () => {
  const jails = useJails();

  it('are those of every command in it', async () => {
    const jail = await jails.create({ limits: { nofile: 99, core: 0 } });
    const { stdout } = await jail.exec('sh', ['-c', 'ulimit -n; ulimit -c']);
    assert.equal(stdout, '99\n0\n');
  });

  it('hold for the processes of the whole jail, or are refused', async () => {
    const jail = await createOrUnsupported({ limits: { processes: 10 } });
    if (jail === null) return;
    const script =
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 20 >/dev/null 2>&1 & done; echo all';
    const result = await jail.exec('sh', ['-c', script], { timeout: 10_000 });
    assert.doesNotMatch(String(result.stdout), /all/);
  });

  it('hold for the memory of the whole jail, or are refused', async () => {
    const jail = await createOrUnsupported({ limits: { memory: 48 * 2 ** 20 } });
    if (jail === null) return;
    // tail keeps all of what is one line.
    const script = 'head -c 300000000 /dev/zero | tail -n 1 | wc -c';
    const result = await jail.exec('sh', ['-c', script]);
    assert.notEqual(String(result.stdout).trim(), '300000000');
  });

  async function createOrUnsupported(about: Partial<JailSpec>): Promise<Jail | null> {
    try {
      return await jails.create(about);
    } catch (error) {
      assert(error instanceof JailError);
      assert.equal(error.code, 'ERR_JAIL_UNSUPPORTED');
      return null;
    }
  }
});
