import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import {
  findJails,
  type Jail,
  type JailEvent,
  type JailedProcess,
  listJails,
  listProcesses,
  type ProcessInfo,
  watchJails,
} from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import {
  eventually,
  isRoot,
  nodePath,
  onModel,
  skipOnDragonfly,
  skipOnModel,
  within,
} from '../support/environment.js';
import { hostProcess, hostProcesses, ownPid, stillThere } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { system } from '../support/system/index.js';

async function started(command: JailedProcess): Promise<JailedProcess> {
  await once(command, 'spawn');
  return command;
}

const byPid = (one: ProcessInfo, other: ProcessInfo) => one.pid - other.pid;

describe('the processes of a jail', () => {
  const jails = useJails();
  let jail: Jail;

  beforeEach(async () => {
    jail = await jails.create();
  });

  it('are none at first', () => {
    assert.deepEqual(jail.processes(), []);
    assert.equal(jail.signal('SIGTERM'), 0);
    assert.deepEqual(jail.commands(), []);
  });

  it('are listed with all that is known of them', async () => {
    const before = Date.now();
    const command = await started(jail.spawn('sleep', ['60']));
    await eventually(() => assert.equal(jail.processes()[0]?.state, 'sleeping'));
    const [info, ...others] = jail.processes();
    assert(info !== undefined);
    assert.deepEqual(others, []);
    const { startTime, rss, virtualSize, cpuTime, pgid, sid, ppid, ...rest } = info;
    assert.deepEqual(rest, {
      pid: command.pid,
      jailPid: command.jailPid,
      jid: jail.jid,
      uid: 0,
      gid: 0,
      command: 'sleep',
      args: ['sleep', '60'],
      state: 'sleeping',
      threads: 1,
      tty: null,
    });
    for (const number of [pgid, sid, ppid]) assert(Number.isInteger(number), `${number}`);
    // Start times are kept in ticks since the machine's start: some hundredths of a second off.
    assert(Math.abs(startTime.getTime() - before) < 2000, `${startTime.toISOString()}`);
    assert(rss > 50_000 && rss < 2 ** 27, `${rss}`);
    assert(virtualSize > rss, `${virtualSize}`);
    assert(cpuTime >= 0 && cpuTime < 1000, `${cpuTime}`);
  });

  it('include those that left their parents and their sessions', async () => {
    const script = `(${system.inOwnSession} sleep 4711 </dev/null >/dev/null 2>&1 &) ; exit`;
    await jail.exec('sh', ['-c', script]);
    await eventually(() => {
      const found = jail.processes().filter(({ args }) => args[1] === '4711');
      assert.equal(found.length, 1);
    });
    const pid = jail.processes()[0]?.pid ?? 0;
    await jail.stop();
    assert.equal(hostProcess(pid), null);
  });

  it('are told apart by their states', async () => {
    const stopped = await started(jail.spawn('sleep', ['60']));
    stopped.kill('SIGSTOP');
    await started(jail.spawn('sh', ['-c', 'while :; do :; done']));
    await eventually(() => {
      const states = jail.processes().map(({ state }) => state);
      assert.deepEqual(states.sort(), ['running', 'stopped']);
    });
  });

  it('cannot forge their rows by their names', async function () {
    const name = 'a) R 1 1\n1 (x';
    skipOnModel(this, 'it runs no Node programs');
    const script = `process.title = ${JSON.stringify(name)}; console.log('ready'); setInterval(() => {}, 1000)`;
    const command = jail.spawn(nodePath, ['-e', script]);
    await once(command.stdout as Readable, 'data');
    const [info, ...others] = jail.processes();
    assert.deepEqual(others, []);
    assert.equal(info?.pid, command.pid);
    assert.equal(info?.jid, jail.jid);
    assert((info?.threads ?? 0) > 1);
  });

  it('show their arguments as they are', async () => {
    const args = ['-c', 'sleep 60; :', '', 'zwei\nZeilen', 'ü'];
    await started(jail.spawn('sh', args));
    const shell = jail.processes().find(({ command }) => command === 'sh');
    assert.deepEqual(shell?.args, ['sh', ...args]);
  });

  it('are not those of another jail', async () => {
    const other = await jails.create();
    const mine = await started(jail.spawn('sleep', ['60']));
    const theirs = await started(other.spawn('sleep', ['60']));
    assert.deepEqual(
      jail.processes().map(({ pid }) => pid),
      [mine.pid],
    );
    assert.deepEqual(
      other.processes().map(({ pid }) => pid),
      [theirs.pid],
    );
  });

  it('appear in the list of the whole host, each with its jail', async () => {
    const command = await started(jail.spawn('sleep', ['60']));
    const all = listProcesses();
    assert.equal(all.find(({ pid }) => pid === command.pid)?.jid, jail.jid);
    const own = all.find(({ pid }) => pid === ownPid());
    assert.equal(own?.jid, 0);
    assert.equal(own?.uid, onModel ? 0 : process.getuid?.());
    assert.equal(own?.ppid, hostProcess(ownPid())?.parent);
  });

  it('are in a list of hundreds each once, and as in the list of their jail', async () => {
    const both = [jail, await jails.create()];
    const sleepers = both.flatMap((each) =>
      Array.from({ length: 120 }, () => started(each.spawn('sleep', ['60'], { stdio: 'ignore' }))),
    );
    await Promise.all(sleepers);
    const isAsleep = ({ state }: ProcessInfo) => state === 'sleeping';
    await eventually(() => assert.ok(both.every((each) => each.processes().every(isAsleep))));
    const before = hostProcesses();
    const all = listProcesses();
    const pids = all.map(({ pid }) => pid);
    assert.equal(new Set(pids).size, all.length);
    for (const each of both) {
      const ofJail = each.processes();
      assert.equal(ofJail.length, 120);
      const inAll = all.filter(({ jid }) => jid === each.jid);
      assert.deepEqual(inAll.toSorted(byPid), ofJail.toSorted(byPid));
    }
    const missing = stillThere(before).filter(
      ({ pid, command }) => pid > 0 && !pids.includes(pid) && command !== 'jail-anchor',
    );
    assert.deepEqual(missing, []);
  });

  it('are all signalled at once, and counted', async () => {
    const commands = await Promise.all([1, 2, 3].map(() => started(jail.spawn('sleep', ['60']))));
    assert.equal(jail.signal(0), 3);
    assert.equal(jail.signal('SIGINT'), 3);
    for (const command of commands) assert.equal((await command.exited).signal, 'SIGINT');
    assert.equal(jail.signal('SIGKILL'), 0);
  });

  it('are summed up', async () => {
    await started(jail.spawn('sh', ['-c', 'while :; do :; done']));
    await started(jail.spawn('sleep', ['60']));
    await eventually(() => assert(jail.usage().cpuTime >= 50, `${jail.usage().cpuTime} ms`));
    const { processes, threads, rss } = jail.usage();
    assert.deepEqual([processes, threads], [2, 2]);
    assert.equal(rss > 200_000, true);
  });

  it('that it was told to start are its commands', async () => {
    const command = await started(jail.spawn('sh', ['-c', 'sleep 60 & wait']));
    await eventually(() => assert.equal(jail.processes().length, 2));
    assert.deepEqual(jail.commands(), [command]);
    command.kill('SIGKILL');
    await command.exited;
    assert.deepEqual(jail.commands(), []);
  });
});

describe('finding jails', () => {
  const jails = useJails();

  it('lists the living ones', async () => {
    const jail = await jails.create({ name: `listed_${process.pid}`, hostname: 'listed.test' });
    const listed = listJails().find(({ jid }) => jid === jail.jid);
    assert.deepEqual(listed, jail.info());
    await jail.stop();
    assert.equal(
      listJails().some(({ jid }) => jid === jail.jid),
      false,
    );
  });

  it('finds them by hostname, path and address, in any spelling', async () => {
    const [v4, v6] = [nextIPv4(), nextIPv6()];
    const hostname = `host-${process.pid}-${Date.now()}`;
    const jail = await jails.create({ hostname, addresses: [v4, v6] });
    const ids = (where: Parameters<typeof findJails>[0]) => findJails(where).map(({ jid }) => jid);
    assert.deepEqual(ids({ hostname }), [jail.jid]);
    assert.deepEqual(ids({ path: jails.root.path }), [jail.jid]);
    assert.deepEqual(ids({ address: v4 }), [jail.jid]);
    assert.deepEqual(ids({ address: v6.toUpperCase().replace('::', ':0:0:0:0:0:') }), [jail.jid]);
    assert.deepEqual(ids({ hostname, address: nextIPv4() }), []);
    assert.deepEqual(ids({ hostname: 'nowhere' }), []);
  });

  it('sees the hostname that the jail has now', async function () {
    skipOnDragonfly(this, 'this is about a file of Linux');
    const jail = await jails.create({ hostname: 'before.test' });
    const script = `require('fs').writeFileSync('/proc/sys/kernel/hostname', 'x')`;
    await jail.exec(nodePath, ['-e', script]);
    assert.equal(jail.info().hostname, 'before.test', 'the file is not the way to change it');
  });
});

describe('watching jails', () => {
  const jails = useJails();

  it('tells of the new ones and of those that are gone', async () => {
    const abort = new AbortController();
    const events: JailEvent[] = [];
    const watching = (async () => {
      const options = { signal: abort.signal, intervalMs: 50 };
      for await (const event of watchJails(options)) events.push(event);
    })();
    await new Promise((done) => setTimeout(done, 100));
    const jail = await jails.create({ hostname: 'watched.test' });
    const types = () => events.filter((event) => event.jail.jid === jail.jid).map((e) => e.type);
    await eventually(() => assert.deepEqual(types(), ['created']));
    const created = events.find((event) => event.jail.jid === jail.jid);
    assert.equal(created?.jail.hostname, 'watched.test');
    const command = await started(jail.spawn('sleep', ['60']));
    await eventually(() => assert(types().includes('changed'), 'empty became running'));
    command.kill();
    await jail.stop();
    await eventually(() => assert.equal(types().at(-1), 'removed'));
    abort.abort();
    await within(
      'the end of the watch',
      2000,
      watching.catch((error) => {
        assert.equal(error.name, 'AbortError');
      }),
    );
  });

  it('tells of those too that run one command and are gone', async function () {
    skipOnModel(this, 'it has no directory that tells when a jail comes');
    await jails.create(); // the first of a host makes the directory
    const abort = new AbortController();
    const told: number[] = [];
    const watching = (async () => {
      for await (const { type, jail } of watchJails({ signal: abort.signal, intervalMs: 60_000 })) {
        if (type === 'created') told.push(jail.jid);
      }
    })();
    const made: number[] = [];
    for (let i = 0; i < 20; i++) {
      const jail = await jails.create();
      made.push(jail.jid);
      await jail.exec('true');
      await jail.stop();
    }
    await eventually(() =>
      assert.deepEqual(
        made.filter((jid) => !told.includes(jid)),
        [],
      ),
    ).finally(() => abort.abort());
    await within('the end of the watch', 2000, watching);
  });

  it('ends with its loop and holds nothing', async () => {
    const jail = await jails.create();
    const watching = (async () => {
      for await (const event of watchJails({ intervalMs: 50 })) {
        if (event.jail.jid === jail.jid && event.type === 'removed') return 'seen';
      }
      return 'ended';
    })();
    await new Promise((done) => setTimeout(done, 150));
    await jail.stop();
    assert.equal(await within('the event', 3000, watching), 'seen');
  });

  it('shows the owner whose jails they are', async () => {
    const jail = await jails.create();
    assert.equal(listJails().find(({ jid }) => jid === jail.jid)?.owned, true);
    if (!onModel) assert.equal(isRoot, process.getuid?.() === 0);
  });
});
