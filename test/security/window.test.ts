import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Jail, JailedProcess } from 'dragonfly-jail';
import { ATTACK, compileAttacks } from '../support/attack.js';
import { needDragonfly, patience, skipOnDragonfly, sleep } from '../support/environment.js';
import { hostMounts, hostProcess, monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { makeRoot, type TestRoot } from '../support/roots.js';

// Between its birth in the jail and its exec a command is a piece of the monitor that can be seen inside. Somebody in
// there waits for it, stops it where that is allowed, and tries everything on it.

const SECONDS = byLength(4, 60);

/** What the attacker counted: how often it met one, and how often each kind of robbery worked. */
type Loot = Record<
  | 'seen'
  | 'stopped'
  | 'memory'
  | 'traced'
  | 'descriptors'
  | 'places'
  | 'network'
  | 'mounts'
  | 'environment',
  number
>;

describe('the window between a command’s birth in the jail and its exec', () => {
  const jails = useJails();
  let jail: Jail;
  let secret: string;
  let server: Server;
  // By these the host's tables of mounts and sockets are known again.
  const mount = 'sysfs';
  let socket: string;

  before(async function () {
    skipOnDragonfly(this, 'who is in it can be traced there: what it holds is looked at below');
    compileAttacks(this, jails);
    secret = join(jails.root.outside, 'secret');
    writeFileSync(secret, 'the host’s secret');
    socket = join(jails.root.outside, 'listening');
    server = createServer().listen(socket);
    await once(server, 'listening');
    assert(hostMounts().some((line) => line.includes(mount)));
  });
  after(() => {
    server?.close();
  });
  beforeEach(async () => {
    jail = await jails.create({ capabilities: { setHostname: true } });
  });

  it('gives nothing of the monitor, the host or other commands away', async function () {
    this.timeout(patience((SECONDS + 30) * 1000));
    const monitors = monitorsOf(process.pid).map(({ pid }) => pid);
    const { loot: robbed } = await attack(['attack-window', `${SECONDS}`, secret, mount, socket]);
    const end = performance.now() + SECONDS * 1000;
    let spawned = 0;
    for (; performance.now() < end && spawned < 20_000; spawned += 4) await spawnSome(4);
    const loot = await robbed;
    const { seen, stopped, ...taken } = loot;
    console.log(`      ${spawned} commands, ${seen} met on their way, ${stopped} stopped there`);
    assert(seen > 0, `the attacker met none of ${spawned}`);
    assert.deepEqual(nonzero(taken), {});
    for (const pid of monitors) assert.equal(hostProcess(pid)?.command, 'jail-monitor');
    assert.equal((await jail.exec('echo', ['works'])).stdout, 'works\n');
  });

  it('is one in which the same attack robs a process that nothing protects', async () => {
    const victim = jail.spawn(ATTACK, ['victim'], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert(victim.stdout !== null);
    const [line] = await once(createInterface({ input: victim.stdout }), 'line');
    const inside = ['/etc/passwd', ' /proc ', 'Num'];
    const { stdout } = await jail.exec(ATTACK, ['rob', line.split(' ')[1], ...inside]);
    const { seen, stopped, ...taken } = lootOf(String(stdout));
    assert.equal(stopped, 0);
    for (const [kind, times] of Object.entries(taken)) assert(times > 0, `${kind} of ${seen}`);
  });

  async function attack(args: string[]): Promise<{ loot: Promise<Loot> }> {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const attacker = jail.spawn(ATTACK, args, { stdio });
    assert(attacker.stdout !== null);
    let text = '';
    const started = once(attacker.stdout, 'data');
    attacker.stdout.on('data', (data) => {
      text += data;
    });
    await started;
    return { loot: once(attacker, 'close').then(() => lootOf(text)) };
  }

  async function spawnSome(count: number): Promise<void> {
    const commands: JailedProcess[] = [];
    for (let i = 0; i < count; i++) {
      const command = jail.spawn('true', [], {
        stdio: 'ignore',
        timeout: 2000,
        env: { SECRET: 'x' },
      });
      command.on('error', () => {}); // killed on its way
      commands.push(command);
    }
    await Promise.all(commands.map((command) => command.exited.catch(() => {})));
    await sleep(0);
  }
});

// On DragonFly nothing keeps the root of the jail from stopping and tracing a command between its birth and its exec. What
// it finds there must be the command's own: nothing of others, whom the same monitor serves.
describe('the window between birth and exec on DragonFly', () => {
  const jails = useJails();
  const secret = `secret-of-another-command-${process.pid}`;
  let root: TestRoot;
  let jail: Jail;

  before(async function () {
    needDragonfly(this);
    compileAttacks(this, jails);
    root = await makeRoot('window', { ownDevices: true });
    mkdirSync(join(root.path, 'hostile'));
    execFileSync('cp', [join(jails.root.path, ATTACK), join(root.path, ATTACK)]);
  });
  after(() => root?.remove());
  beforeEach(async () => {
    const mounts = [{ type: 'procfs', target: '/proc' } as const];
    jail = await jails.create({ path: root.path, mounts });
  });
  afterEach(() => jails.stopAll());

  it('shows nothing of what other commands were given', async function () {
    this.timeout(patience((SECONDS + 60) * 1000));
    const stdio = 'ignore' as const;
    const env = { SECRET: secret };
    const keepers = Array.from({ length: 5 }, () =>
      jail.spawn('sleep', ['1000', secret], { stdio, env }),
    );
    for (const keeper of keepers) keeper.on('error', () => {});
    await sleep(500);
    const attacker = jail.spawn(ATTACK, ['attack-window', `${SECONDS}`, secret], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    attacker.stdout?.on('data', (data) => {
      text += data;
    });
    const ended = once(attacker, 'close');
    for (let i = 0; attacker.exitCode === null && i < 20_000; i++) {
      const command = jail.spawn('true', [], { stdio, timeout: 2000 });
      command.on('error', () => {});
      await command.exited.catch(() => {});
    }
    await ended;
    const { seen, stopped, memory } = lootOf(text);
    console.log(`      ${seen} met on their way, ${stopped} stopped there`);
    assert(seen > 0, text);
    assert.equal(memory, 0, text);
    assert.equal((await jail.exec('echo', ['works'])).stdout, 'works\n');
  });

  it('is one in which the same attack robs a process that has it', async () => {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const victim = jail.spawn(ATTACK, ['victim'], { stdio, env: { SECRET: secret } });
    assert(victim.stdout !== null);
    const [line] = await once(createInterface({ input: victim.stdout }), 'line');
    const { stdout } = await jail.exec(ATTACK, ['rob', line.split(' ')[1], secret]);
    assert.equal(lootOf(String(stdout)).memory, 1, String(stdout));
  });
});

function lootOf(output: string): Loot {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  assert(line !== undefined, output);
  return JSON.parse(line);
}

function nonzero(taken: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(taken).filter(([, times]) => times > 0));
}
