import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Jail, JailedProcess } from 'dragonfly-jail';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  attackOutside,
  compileAttacks,
  inside,
  needControl,
  outside,
} from '../support/attack.js';
import { needRoot, onDragonfly, skipOnDragonfly } from '../support/environment.js';
import { hostProcess, monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { system } from '../support/system/index.js';

// What one process may do to another when nothing keeps them apart.
type Ways = Record<string, (pid: number, address: string) => string[]>;
const WAYS_OF_LINUX: Ways = {
  'be signalled': (pid) => ['kill', `${pid}`, '0'],
  'be signalled as a thread': (pid) => ['tgkill', `${pid}`, '0'],
  'be signalled by a descriptor': (pid) => ['signal-descriptor', `${pid}`],
  'be traced': (pid) => ['trace', `${pid}`],
  'be seized': (pid) => ['seize', `${pid}`],
  'have their memory read': (pid, address) => ['read-memory', `${pid}`, address],
  'have their memory written': (pid, address) => ['write-memory', `${pid}`, address],
  'have their memory opened': (pid, address) => ['open-memory', `${pid}`, address],
  'have their descriptors taken': (pid) => ['take-descriptor', `${pid}`, '0'],
  'have their limits read': (pid) => ['change-limit', `${pid}`],
  'be slowed down': (pid) => ['change-priority', `${pid}`],
};

const WAYS_OF_DRAGONFLY: Ways = {
  'be signalled': (pid) => ['kill', `${pid}`, '0'],
  'be signalled as a thread': (pid) => ['tgkill', `${pid}`, '0'],
  'be traced': (pid) => ['trace', `${pid}`],
  'have their memory read': (pid, address) => ['read-memory', `${pid}`, address],
  'have their memory written': (pid, address) => ['write-memory', `${pid}`, address],
  'have their calls recorded': (pid) => ['trace-calls', `${pid}`],
  'be slowed down': (pid) => ['change-priority', `${pid}`],
};
const WAYS = onDragonfly ? WAYS_OF_DRAGONFLY : WAYS_OF_LINUX;

// Jailed root may do this there to processes of its own user only.
const OWN_USER_ONLY = onDragonfly ? /traced|memory|recorded/ : /^$/;

// The anchor may be looked at in these ways; it takes no harm.
const HARMLESS_TO_PID_1 = /signalled|slowed|limits/;

interface Victim {
  readonly pid: number;
  readonly address: string;
}

describe('the processes of the host', () => {
  const jails = useJails();
  let jail: Jail;
  let child: ChildProcessByStdio<Writable, Readable, null>;
  let victim: Victim;

  before(async function () {
    compileAttacks(this, jails);
    child = spawn(attackOutside(jails), ['victim'], { stdio: ['pipe', 'pipe', 'inherit'] });
    victim = await victimOf(child.stdout);
  });
  after(() => {
    child?.kill('SIGKILL');
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  for (const [what, args] of Object.entries(WAYS)) {
    it(`cannot ${what}`, async function () {
      const attempt = args(victim.pid, victim.address);
      needControl(this, await outside(jails, ...attempt), `to ${what}`);
      assertRefused(await inside(jail, ...attempt));
      assert.equal(hostProcess(victim.pid)?.pid, victim.pid);
    });
  }

  it('are not there at all: of all pids only the jail’s own take a signal', async function () {
    skipOnDragonfly(this, 'it says EPERM of those that there are, not that there are none');
    const { output } = await inside(jail, 'count-reachable', '40000');
    const [, reachable, hidden] = /^reachable (\d+) hidden (\d+)$/m.exec(output) ?? [];
    assert(Number(reachable) <= 2, output); // pid 1 and the counter
    assert.equal(Number(hidden), 0);
    const { output: all } = await outside(jails, 'count-reachable', '40000');
    assert(Number(/^reachable (\d+)/m.exec(all)?.[1]) > 2, all);
  });

  it('survive a kill of everybody, and so does the monitor', async () => {
    const monitors = monitorsOf(process.pid).length;
    await jail.exec('sh', ['-c', 'kill -9 -1; kill -9 1']);
    await inside(jail, 'kill', '-1', '19');
    assert.equal(hostProcess(victim.pid)?.pid, victim.pid);
    assert.equal(monitorsOf(process.pid).length, monitors);
    assert.equal((await jail.exec('echo', ['alive'])).stdout, 'alive\n');
  });
});

describe('the monitor of a jail, which is one of the processes of the host,', () => {
  const jails = useJails();
  let jail: Jail;

  before(function () {
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    jail = await jails.create();
  });

  for (const [what, args] of Object.entries(WAYS)) {
    it(`cannot ${what} from inside`, async () => {
      const [monitor] = monitorsOf(process.pid);
      assert(monitor !== undefined);
      // That these ways are ways is shown on a process of the jail's own.
      const command = jail.spawn(ATTACK, ['victim'], { stdio: ['pipe', 'pipe', 'inherit'] });
      const victim = await victimOf(command.stdout);
      assertWorks(await inside(jail, ...args(victim.pid, victim.address)));
      assertRefused(await inside(jail, ...args(monitor.pid, '0x400000')));
      assert.equal(hostProcess(monitor.pid)?.command, 'jail-monitor');
    });
  }
});

describe('a command that the host started as another user of the jail', () => {
  const jails = useJails();
  const [ALICE, BOB] = [1001, 1002];
  let jail: Jail;
  let command: JailedProcess;
  let victim: Victim;

  before(function () {
    needRoot(this);
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    jail = await jails.create();
    const options = { stdio: ['pipe', 'pipe', 'inherit'], user: ALICE } as const;
    command = jail.spawn(ATTACK, ['victim'], options);
    victim = await victimOf(command.stdout);
  });

  for (const [what, args] of Object.entries(WAYS)) {
    it(`cannot ${what} by the jail’s other users`, async () => {
      const attempt = args(victim.pid, victim.address);
      assertWorks(await inside(jail, 'run-as', `${ALICE}`, ATTACK, ...attempt));
      if (!OWN_USER_ONLY.test(what)) assertWorks(await inside(jail, ...attempt)); // its root may
      assertRefused(await inside(jail, 'run-as', `${BOB}`, ATTACK, ...attempt));
    });
  }
});

describe('the terminal of a command', () => {
  const jails = useJails();

  before(function () {
    compileAttacks(this, jails);
  });

  it('is opened by no other jail, nor by its own other commands', async () => {
    const [jail, other] = [await jails.create(), await jails.create()];
    const command = jail.spawn(ATTACK, ['victim'], { pty: true });
    await once(command, 'spawn');
    const name = system.terminalOf(command.pid ?? 0);
    assert.match(name, /^\/dev\/pts\/\d+$/);
    assertWorks(await outside(jails, 'open-to-write', name));
    for (const inmate of [jail, other]) {
      // It belongs to nobody's jail: DragonFly says EBUSY to all of them.
      const refused = await inside(inmate, 'open-to-write', name);
      assertRefused(refused, onDragonfly ? /^(EBUSY|ENOENT)$/ : undefined);
    }
    command.kill('SIGKILL');
  });
});

describe('the processes of a jail', () => {
  const jails = useJails();
  let jail: Jail;
  let other: Jail;
  let command: JailedProcess;
  let victim: Victim;

  before(function () {
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    jail = await jails.create();
    other = await jails.create({ hostname: 'other' });
    command = other.spawn(ATTACK, ['victim'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(command, 'spawn');
    victim = await victimOf(command.stdout);
  });

  for (const [what, args] of Object.entries(WAYS)) {
    it(`cannot ${what} from another jail`, async () => {
      // As the host numbers it; and the victim itself says how the other jail does.
      assert(command.pid !== undefined && (onDragonfly || command.pid !== victim.pid));
      assertWorks(await inside(other, ...args(victim.pid, victim.address)));
      assertRefused(await inside(jail, ...args(command.pid, victim.address)));
      assert.equal(hostProcess(command.pid)?.pid, command.pid);
    });
  }

  for (const [what, args] of Object.entries(WAYS)) {
    if (HARMLESS_TO_PID_1.test(what)) continue;
    it(`cannot ${what} when they are pid 1, which is ours`, async function () {
      skipOnDragonfly(this, 'a jail has no pid 1 of its own');
      assertWorks(await inside(other, ...args(victim.pid, victim.address)));
      assertRefused(await inside(other, ...args(1, '0x400000')));
    });
  }

  it('have a pid 1 whose program can be neither read nor overwritten', async function () {
    skipOnDragonfly(this, 'a jail has no pid 1 of its own');
    for (const name of [
      'exe',
      'mem',
      'maps',
      'environ',
      'fd/0',
      'root/etc/passwd',
      'cwd/etc/passwd',
    ]) {
      assertRefused(await inside(other, 'open', `/proc/1/${name}`));
      assertRefused(await inside(other, 'open-to-write', `/proc/1/${name}`));
      if (!/mem|fd/.test(name)) {
        assertWorks(await inside(other, 'open', `/proc/${victim.pid}/${name}`));
      }
    }
    assertWorks(await inside(other, 'open', `/proc/${victim.pid}/mem`));
  });

  it('have a pid 1 that no signal of theirs ends', async () => {
    for (const signal of ['9', '15', '19', '11', '6']) {
      await inside(other, 'kill', '1', signal);
    }
    assert.equal((await other.exec('echo', ['alive'])).stdout, 'alive\n');
  });
});

async function victimOf(output: Readable | null): Promise<Victim> {
  assert(output !== null);
  for await (const line of createInterface({ input: output })) {
    const [, pid, address] = /^victim (\d+) (\w+)$/.exec(line) ?? [];
    if (pid !== undefined && address !== undefined) return { pid: Number(pid), address };
  }
  return assert.fail('the victim did not start');
}
