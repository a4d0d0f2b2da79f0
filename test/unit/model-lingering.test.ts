import assert from 'node:assert/strict';
import { once } from 'node:events';
import fc from 'fast-check';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import {
  KernelError,
  ModelKernel,
  type ModelProcess,
  useModelKernel,
} from '#internal/backends/model/index.js';
import { Jail, listJails, recover } from '#internal/index.js';
import { jailBy } from '../support/recordings.js';

const { inet, inet6 } = layout59.families;
const ROOT = '/jails/web';
const ADDRESS = '10.0.0.1';
const PORT = 8080;
const HOST = { family: 'inet', address: '10.0.0.1', port: 9000 } as const;
const MINUTE = 60_000;

describe('jails that connections hold', () => {
  let kernel: ModelKernel;
  let restore: () => void = () => {};

  beforeEach(() => {
    kernel = new ModelKernel();
    kernel.directory(ROOT);
    kernel.network.interfaces.get('lo0')?.addresses.push(ADDRESS, 'fd00::1');
    kernel.programs.add('/bin/serve', ({ process, stdout, forever }) => {
      listen(process, ADDRESS, PORT);
      stdout.write('ready\n');
      return forever();
    });
    // Answers as many as there are, and closes first.
    kernel.programs.add('/bin/answer', ({ process, stdout }) => {
      const fd = listen(process, ADDRESS, PORT);
      const client = connect(kernel.host, ADDRESS, PORT);
      process.close(process.accept(fd));
      stdout.write('answered\n');
      kernel.host.close(client);
    });
    restore = useModelKernel(kernel);
  });
  afterEach(() => restore());

  const lingering = () =>
    listJails({ lingering: true }).filter((jail) => jail.state === 'lingering');

  it('stop() is done, although the jid is held by a connection that the jail closed first', async () => {
    const jail = await Jail.create({
      path: ROOT,
      hostname: 'web',
      name: 'web',
      addresses: [ADDRESS],
    });
    await jail.exec('/bin/answer');
    await jail.stop();
    assert.deepEqual(listJails(), []);
    assert.equal(kernel.jails.length, 1);
    const [told, ...others] = lingering();
    assert.equal(others.length, 0);
    assert.deepEqual(
      { jid: told?.jid, name: told?.name, path: told?.path, owned: told?.owned },
      { jid: jail.jid, name: 'web', path: ROOT, owned: false },
    );
    assert.deepEqual(
      told?.connections?.map(({ local, state }) => `${local} ${state}`),
      [`${ADDRESS}:${PORT} TIME_WAIT`],
    );
    await assert.rejects(Jail.open(jail.jid), { code: 'ERR_JAIL_NOT_FOUND' });
    assert.deepEqual(await recover(), []);
    kernel.connections.expire(MINUTE);
    assert.deepEqual(lingering(), []);
    assert.equal(kernel.jails.length, 0);
  });

  it('name, root, mounts and addresses are free at once: a server is restarted ten times', async () => {
    const spec = {
      path: ROOT,
      hostname: 'web',
      name: 'web',
      addresses: ['10.7.7.7'],
      interface: 'lo0',
      mounts: [{ type: 'tmpfs', target: '/tmp' }],
    } as const;
    kernel.directory(`${ROOT}/tmp`);
    for (let round = 1; round <= 10; round++) {
      const jail = await Jail.create(spec);
      assert.equal(jail.jid, round);
      serveOnce(jail);
      await jail.stop();
      assert.equal(kernel.mounts.all.length, 0);
      assert.equal(kernel.network.has('10.7.7.7'), false);
    }
    assert.deepEqual(listJails(), []);
    assert.equal(lingering().length, 10);
  });

  function serveOnce(jail: Jail): void {
    const inside = kernel.host.fork();
    inside.jailAttach(jail.jid);
    const client = connect(kernel.host, '10.7.7.7', 0, listen(inside, '10.7.7.7', PORT), inside);
    inside.exit(0);
    kernel.host.wait(inside.pid);
    kernel.host.close(client);
  }

  it('a connection that the other side closed first holds nothing', async () => {
    const jail = await Jail.create({ path: ROOT, hostname: 'web', addresses: [ADDRESS] });
    const server = jail.spawn('/bin/serve', [], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(server.stdout ?? assert.fail(), 'data');
    kernel.host.close(connect(kernel.host, ADDRESS, PORT));
    await jail.stop();
    // Nobody had accepted it: it is reset.
    assert.equal(kernel.jails.length, 0);
    assert.deepEqual(kernel.connections.all, []);
  });

  it("somebody else's jail that is stopped lingers, too", async () => {
    const other = kernel.host.fork();
    jailBy(other, 'other', ROOT, [ADDRESS]);
    const client = connect(kernel.host, ADDRESS, 0, listen(other, ADDRESS, PORT), other);
    const jail = await Jail.open(other.jid);
    const stopped = jail.stop();
    await Promise.resolve();
    kernel.host.close(client);
    await stopped;
    assert.deepEqual(listJails(), []);
    assert.deepEqual(
      lingering().map(({ hostname, path }) => ({ hostname, path })),
      [{ hostname: 'other', path: ROOT }],
    );
  });

  it('anything else that holds the jail is an error as before', async () => {
    const jail = await Jail.create({ path: ROOT, hostname: 'web', addresses: [ADDRESS] });
    const inside = kernel.host.fork();
    inside.jailAttach(jail.jid);
    const held = kernel.host.receive(inside, inside.socket(layout59.families.unix, 1));
    inside.exit(0);
    kernel.host.wait(inside.pid);
    await assert.rejects(jail.stop(), { code: 'EBUSY', step: 'release' });
    assert.deepEqual(lingering(), []);
    kernel.host.close(held);
    await jail.stop();
  });

  it('a process in a jail that lingers makes it a jail again', async () => {
    const jail = await Jail.create({ path: ROOT, hostname: 'web', addresses: [ADDRESS] });
    await jail.exec('/bin/answer');
    await jail.stop();
    const visitor = kernel.host.fork();
    visitor.jailAttach(jail.jid);
    assert.deepEqual(
      listJails().map(({ jid, state }) => ({ jid, state })),
      [{ jid: jail.jid, state: 'running' }],
    );
  });

  describe('states of TCP', () => {
    let now = 0;
    let jailed: ModelProcess;
    let jid: number;

    beforeEach(() => {
      now = 0;
      kernel = new ModelKernel({ clock: () => now });
      kernel.directory(ROOT);
      kernel.network.interfaces.get('lo0')?.addresses.push(ADDRESS);
      jailed = kernel.host.fork();
      jid = jailBy(jailed, 'tcp', ROOT, [ADDRESS]);
    });

    const isThere = () => kernel.jails.some((prison) => prison.jid === jid);
    const states = () =>
      kernel.connections.all
        .filter(({ prison }) => prison?.jid === jid)
        .map(({ state }) => state)
        .join();
    const endJailed = () => {
      jailed.exit(0);
      kernel.host.wait(jailed.pid);
    };

    it('FIN_WAIT_2 until the other side closes, then TIME_WAIT for a minute', () => {
      const listener = listen(kernel.host, HOST.address, HOST.port);
      connect(jailed, HOST.address, HOST.port);
      const accepted = kernel.host.accept(listener);
      endJailed();
      assert.equal(states(), 'FIN_WAIT_2');
      now += 3 * MINUTE;
      assert.ok(isThere());
      kernel.host.close(accepted);
      assert.equal(states(), 'TIME_WAIT');
      now += MINUTE - 1;
      assert.ok(isThere());
      now += 1;
      assert.ok(!isThere());
    });

    it('FIN_WAIT_2 that nobody answers is over after ten minutes', () => {
      listen(kernel.host, HOST.address, HOST.port);
      connect(jailed, HOST.address, HOST.port);
      endJailed();
      now += 10 * MINUTE - 1;
      assert.ok(isThere());
      now += 1;
      assert.ok(!isThere());
    });

    it('FIN_WAIT_1 while the other side takes nothing, and a reset when it closes unread', () => {
      const listener = listen(kernel.host, HOST.address, HOST.port);
      const fd = connect(jailed, HOST.address, HOST.port);
      const accepted = kernel.host.accept(listener);
      jailed.send(fd, 200_000);
      kernel.host.kill(jailed.pid, 9);
      kernel.host.wait(jailed.pid);
      assert.equal(states(), 'FIN_WAIT_1');
      now += 5 * MINUTE;
      assert.equal(states(), 'FIN_WAIT_1');
      kernel.host.close(accepted);
      assert.ok(!isThere());
    });

    it('whoever has read all of it ends it in order', () => {
      const listener = listen(kernel.host, HOST.address, HOST.port);
      const fd = connect(jailed, HOST.address, HOST.port);
      const accepted = kernel.host.accept(listener);
      jailed.send(fd, 100_000);
      endJailed();
      while (kernel.host.recv(accepted) > 0);
      assert.equal(states(), 'FIN_WAIT_2');
      kernel.host.close(accepted);
      assert.equal(states(), 'TIME_WAIT');
    });

    it('a jail never outlives all of its connections, whoever closes when', () => {
      const event = fc.constantFrom(
        'jail closes',
        'host closes',
        'jail sends',
        'host reads',
        'wait',
      );
      fc.assert(
        fc.property(fc.array(event, { maxLength: 12 }), (events) => {
          now = 0;
          kernel = new ModelKernel({ clock: () => now });
          kernel.directory(ROOT);
          kernel.network.interfaces.get('lo0')?.addresses.push(ADDRESS);
          const inside = kernel.host.fork();
          jid = jailBy(inside, 'tcp', ROOT, [ADDRESS]);
          const listener = listen(kernel.host, HOST.address, HOST.port);
          const fd = connect(inside, HOST.address, HOST.port);
          const accepted = kernel.host.accept(listener);
          const calls: Record<string, () => unknown> = {
            'jail closes': () => inside.close(fd),
            'host closes': () => kernel.host.close(accepted),
            'jail sends': () => inside.send(fd, 30_000),
            'host reads': () => kernel.host.recv(accepted),
            wait: () => {
              now += MINUTE;
            },
          };
          for (const one of events) attempt(calls[one] ?? assert.fail());
          inside.exit(0);
          kernel.host.wait(inside.pid);
          assert.equal(isThere(), states() !== '');
          attempt(() => kernel.host.close(accepted));
          now += 3 * 60 * MINUTE;
          assert.ok(!isThere());
          assert.equal(states(), '');
        }),
      );
    });
  });

  it('jails with an IPv6 address reach what listens on ::1 of the host', () => {
    listen(kernel.host, '::1', 8004);
    const jailed = kernel.host.fork();
    jailBy(jailed, 'six', ROOT, ['fd00::1']);
    const fd = jailed.socket(inet6, 1);
    jailed.connect(fd, { family: 'inet6', address: 'fd00::1', port: 8004 });
    assert.equal(jailed.getpeername(fd).address, 'fd00::1');
    listen(kernel.host, '127.0.0.1', 8004);
    const four = kernel.host.fork();
    jailBy(four, 'four', ROOT, [ADDRESS]);
    const refused = () => connect(four, ADDRESS, 8004);
    assert.throws(refused, (error: KernelError) => error.code === 'ECONNREFUSED');
  });
});

function attempt(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}

function listen(process: ModelProcess, address: string, port: number): number {
  const family = address.includes(':') ? 'inet6' : 'inet';
  const fd = process.socket(family === 'inet6' ? inet6 : inet, 1);
  process.bind(fd, { family, address, port });
  process.listen(fd);
  return fd;
}

/** Connects; with a listener it is accepted, and closed by the listener's side first. */
function connect(
  process: ModelProcess,
  address: string,
  port: number,
  listener?: number,
  server?: ModelProcess,
): number {
  const fd = process.socket(inet, 1);
  process.connect(fd, { family: 'inet', address, port: port || PORT });
  if (listener !== undefined && server !== undefined) server.close(server.accept(listener));
  return fd;
}
