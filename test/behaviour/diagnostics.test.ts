import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { promisify } from 'node:util';
import {
  Jail,
  type JailCreateMessage,
  type JailExitMessage,
  type JailSpawnMessage,
  type JailStopMessage,
} from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { onlyInThisProgram } from '../support/environment.js';
import { useJails } from '../support/jails.js';

// What the monitor does while the jail's first process makes the mounts and enters its namespaces.
const BESIDE = ['link', 'route', 'address', 'anchor'];

// Of each run of the same name one: mounts may be many, addresses are given all at once.
function sequence(steps: readonly { readonly step: string }[]): string[] {
  return steps.map(({ step }) => step).filter((step, i, all) => step !== all[i - 1]);
}

const NAMES = ['create', 'spawn', 'exit', 'stop'] as const;

describe('what is told to whoever watches a program', () => {
  const jails = useJails();
  let told: { what: string; message: unknown }[];
  const listeners = NAMES.map((what) => {
    const hear = (message: unknown) => void told.push({ what, message });
    return { name: `dragonfly-jail:${what}`, hear };
  });

  beforeEach(() => {
    told = [];
    for (const { name, hear } of listeners) subscribe(name, hear);
  });

  afterEach(() => {
    for (const { name, hear } of listeners) unsubscribe(name, hear);
  });

  function only<T>(what: string): T {
    const found = told.filter((one) => one.what === what);
    assert.equal(found.length, 1, `${found.length} messages of ${what}`);
    return found[0]?.message as T;
  }

  it('is the life of a jail with its commands, in order and with its times', async () => {
    const jail = await jails.create({ name: 'watched', hostname: 'watched.test' });
    await jail.exec('sh', ['-c', 'exit 3']);
    await jail.stop();
    assert.deepEqual(
      told.map(({ what }) => what),
      ['create', 'spawn', 'exit', 'stop'],
    );
    const created = only<JailCreateMessage>('create');
    assert.deepEqual(
      [created.jid, created.name, created.hostname, created.path, created.error],
      [jail.jid, 'watched', 'watched.test', jails.root.path, null],
    );
    const spawned = only<JailSpawnMessage>('spawn');
    assert.deepEqual([spawned.jid, spawned.file, spawned.error], [jail.jid, 'sh', null]);
    assert.deepEqual(spawned.args, ['sh', '-c', 'exit 3']);
    const exited = only<JailExitMessage>('exit');
    assert.deepEqual([exited.pid, exited.exitCode, exited.signal], [spawned.pid, 3, null]);
    assert(exited.usage.wallTime >= 0);
    assert.equal(only<JailStopMessage>('stop').jid, jail.jid);
    for (const { message } of told) {
      const { durationMs } = message as JailStopMessage;
      assert(durationMs >= 0 && durationMs < 20_000, `${durationMs} ms`);
    }
  });

  it('has every step of the plan with its time, and those of the end', async () => {
    const spec = jails.spec({ addresses: [nextIPv4(), nextIPv6()], limits: { core: 0 } });
    const jail = await Jail.create(spec);
    await jail.stop();
    const { steps, durationMs } = only<JailCreateMessage>('create');
    assert.deepEqual(sequence(steps), sequence(Jail.plan(spec)));
    // On Linux the network is made beside the mounts: each of the two takes no longer than the whole.
    for (const beside of [['namespaces', 'mount', 'pivot', 'enter', 'hostname'], BESIDE]) {
      const alone = steps.filter(({ step }) => !beside.includes(step));
      const sum = alone.reduce((total, step) => total + step.durationMs, 0);
      assert(sum > 0 && sum <= durationMs, `${sum} ms of ${durationMs} ms`);
    }
    const ended = only<JailStopMessage>('stop');
    assert.deepEqual(sequence(ended.steps).slice(0, 2), ['signal', 'kill']);
    assert(ended.steps.some(({ step }) => step === 'register'));
  });

  it('has the steps until one failed', async () => {
    const mounts = [{ type: 'tmpfs', target: '/no-such-folder' } as const];
    await assert.rejects(Jail.create(jails.spec({ mounts })), { step: 'mount' });
    const { steps } = only<JailCreateMessage>('create');
    const done = steps.map(({ step }) => step);
    assert(done.includes('register'), done.join());
    assert(!done.includes('ready') && !done.includes('mount'), done.join());
  });

  it('is printed with NODE_DEBUG=dragonfly-jail', async () => {
    onlyInThisProgram('another Node program');
    const program = `
      import { Jail } from 'dragonfly-jail';
      const jail = await Jail.create(${JSON.stringify(jails.spec({ hostname: 'told.test' }))});
      await jail.stop();`;
    const args = ['--input-type=module', '-e', program];
    const env = { ...process.env, NODE_DEBUG: 'dragonfly-jail' };
    const { stderr, stdout } = await promisify(execFile)(process.execPath, args, { env });
    assert.equal(stdout, '');
    for (const { step } of Jail.plan(jails.spec())) {
      const told = new RegExp(
        `^DRAGONFLY-JAIL \\d+: create of told\\.test, step ${step}, \\d+\\.\\d{3} ms$`,
        'm',
      );
      assert.match(stderr, told);
    }
    assert.match(stderr, /: create, \d+\.\d{3} ms: \{ jid: \d+, /);
    assert.match(stderr, /: stop of \d+, step kill, /);
  });

  it('is what went wrong as well', async () => {
    await assert.rejects(Jail.create(jails.spec({ path: `${jails.root.path}/missing` })));
    const created = only<JailCreateMessage>('create');
    assert.equal(created.jid, null);
    assert.equal((created.error as NodeJS.ErrnoException).code, 'ENOENT');
    told = [];
    const jail = await jails.create();
    await assert.rejects(jail.exec('/no/such/program'));
    const spawned = only<JailSpawnMessage>('spawn');
    assert.equal(spawned.pid, null);
    assert.equal((spawned.error as NodeJS.ErrnoException).code, 'ENOENT');
    assert(!told.some(({ what }) => what === 'exit'));
  });
});
