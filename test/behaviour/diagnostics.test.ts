import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  Jail,
  type JailCreateMessage,
  type JailExitMessage,
  type JailSpawnMessage,
  type JailStopMessage,
} from 'dragonfly-jail';
import { useJails } from '../support/jails.js';

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
