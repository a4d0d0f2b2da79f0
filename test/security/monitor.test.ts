import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { findJails, Jail, listJails } from 'dragonfly-jail';
import {
  ATTACK,
  assertRefused,
  assertWorks,
  compileAttacks,
  inside,
  type Outcome,
  outcomeOf,
  outside,
} from '../support/attack.js';
import { isRoot, onDragonfly } from '../support/environment.js';
import { hostProcess, monitorsOf, stateDirectory } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { system } from '../support/system/index.js';

describe('the monitor of a jail', () => {
  const jails = useJails();

  before(function () {
    compileAttacks(this, jails);
  });

  it('hears nobody from inside, even where its socket is in reach', async () => {
    // A mistake of the operator: a descriptor of the state directory for a command.
    const kept = await jails.create({ persist: true, name: 'kept' });
    const jail = await jails.create();
    const socket = `jails/${kept.jid}/socket`;
    assertWorks(await outside(jails, 'connect-unix', join(stateDirectory(), socket), 'hello'));
    const tried = await withDescriptor(jail, ['connect-from', '3', socket, 'hello']);
    const refused = /^(ECONNRESET|ECONNREFUSED|EPIPE|EACCES)$/;
    assertRefused(tried, refused);
    assert.equal((await kept.exec('echo', ['alive'])).stdout, 'alive\n');
  });

  async function withDescriptor(jail: Jail, args: string[]): Promise<Outcome> {
    const state = openSync(stateDirectory(), 'r');
    try {
      const stdio = ['ignore', 'pipe', 'inherit', state] as const;
      const command = jail.spawn(ATTACK, args, { stdio });
      let output = '';
      command.stdout?.on('data', (data) => {
        output += data;
      });
      await once(command, 'close');
      return outcomeOf(args, output);
    } finally {
      closeSync(state);
    }
  }

  it('is not in sight: no process inside is one of ours but pid 1', async () => {
    const jail = await jails.create();
    if (onDragonfly) {
      const { stdout } = await jail.exec('ps', ['-axo', 'ucomm=']);
      assert.match(String(stdout), /^ps\s*$/m);
      assert.doesNotMatch(String(stdout), /jail-/);
      return;
    }
    const script = 'for p in /proc/[0-9]*; do cat $p/comm; done';
    const { stdout } = await jail.exec('sh', ['-c', script]);
    assert.doesNotMatch(String(stdout), /jail-monitor/);
    assert.match(String(stdout), /^jail-anchor$/m);
  });

  it('says nothing about the host by its arguments or its environment', () => {
    const [monitor] = monitorsOf(process.pid);
    if (monitor === undefined) return;
    assert.equal(system.argumentsOf(monitor.pid), 'jail-monitor');
    if (isRoot) assert.doesNotMatch(system.environmentOf(monitor.pid), /HOME|USER|npm/);
  });

  it('lives on when all ids, signals and groups of the jail are used against it', async () => {
    const jail = await jails.create();
    const [monitor] = monitorsOf(process.pid);
    assert(monitor !== undefined);
    for (const signal of ['9', '19', '11', '6', '1']) {
      await inside(jail, 'kill', String(monitor.pid), signal);
      await inside(jail, 'kill', String(-monitor.pid), signal);
    }
    assert.match(hostProcess(monitor.pid)?.state ?? 'gone', /^[SRD]$/);
    assert.equal((await jail.exec(ATTACK, ['print-ids'])).exitCode, 0);
  });
});

describe('a hostname that the jail forges', () => {
  const jails = useJails();

  before(function () {
    compileAttacks(this, jails);
  });

  for (const [title, name] of Object.entries({
    'the name of another jail': 'honest.example.org',
    'a line of the registry': 'x\njid 1\nname honest\npath /',
    'a space and another jail’s data': '1 honest.example.org /',
    'an escape sequence': '\x1b]0;owned\x07\x1b[2J',
    'not UTF-8': 'a\\xff',
    nothing: '',
  })) {
    it(`changes what is listed of that jail and nothing else: ${title}`, async () => {
      const honest = await jails.create({ hostname: 'honest.example.org', name: 'honest' });
      const forger = await jails.create({ hostname: 'forger.example.org' });
      const before = forger.info();
      const count = listJails().length;
      assertWorks(await inside(forger, 'sethostname', name));
      const { hostname, ...after } = forger.info();
      assert.deepEqual({ ...after, hostname: before.hostname }, before);
      // DragonFly's list cannot tell where such a name ends: it is not believed.
      if (!onDragonfly) assert.equal(hostname, name === '' ? '' : hostname);
      assert.equal(listJails().length, count);
      assert.deepEqual((await Jail.open('honest')).jid, honest.jid);
      assert.equal(honest.info().hostname, 'honest.example.org');
      await assert.rejects(Jail.open(name === '' ? 'x' : name), /./);
      const found = findJails({ hostname: 'honest.example.org' }).map(({ jid }) => jid);
      const forged = name === 'honest.example.org' ? [honest.jid, forger.jid] : [honest.jid];
      assert.deepEqual(found.sort(), forged.sort(), 'a hostname names nobody: jids and names do');
      assert.equal((await forger.exec('echo', ['ok'])).stdout, 'ok\n');
    });
  }
});
