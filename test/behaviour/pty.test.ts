import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Jail, JailedProcess } from 'dragonfly-jail';
import { eventually, within } from '../support/environment.js';
import { useJails } from '../support/jails.js';

describe('a command on a terminal', () => {
  const jails = useJails();
  let jail: Jail;

  beforeEach(async () => {
    jail = await jails.create();
  });

  it('finds a terminal at its three descriptors and its size', async () => {
    const script = 'test -t 0 && test -t 1 && test -t 2 && echo terminal; stty size';
    const pty = { columns: 101, rows: 37 };
    const command = jail.spawn('sh', ['-c', script], { pty });
    assert.equal(await text(command.stdout as Readable), 'terminal\r\n37 101\r\n');
    assert.equal((await command.exited).exitCode, 0);
  });

  it('has 80 columns and 24 rows unless something else is said', async () => {
    const command = jail.spawn('stty', ['size'], { pty: true });
    assert.equal(await text(command.stdout as Readable), '24 80\r\n');
  });

  it('knows what kind of terminal it is', async () => {
    const command = jail.spawn('sh', ['-c', 'echo $TERM'], { pty: true });
    assert.equal(await text(command.stdout as Readable), 'xterm\r\n');
  });

  it('is told when the window changes', async () => {
    const script = 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done';
    const command = jail.spawn('sh', ['-c', script], { pty: true });
    const output = collect(command);
    await eventually(() => assert.match(output(), /ready/));
    command.resize(132, 50);
    await within('the end after the change', 5000, command.exited);
    await eventually(() => assert.match(output(), /50 132/));
  });

  it('hears the interrupt key and the end of the input', async () => {
    const sleeping = jail.spawn('sh', ['-c', 'echo ready; exec sleep 60'], { pty: true });
    const output = collect(sleeping);
    await eventually(() => assert.match(output(), /ready/));
    sleeping.stdin?.write('\x03');
    assert.equal((await within('the interrupt', 5000, sleeping.exited)).signal, 'SIGINT');

    const reading = jail.spawn('sh', ['-c', 'echo ready; read line; echo "got $line"; cat'], {
      pty: true,
    });
    const read = collect(reading);
    await eventually(() => assert.match(read(), /ready/));
    reading.stdin?.write('words\r');
    await eventually(() => assert.match(read(), /got words/));
    reading.stdin?.write('\x04');
    assert.equal((await within('the end of cat', 5000, reading.exited)).exitCode, 0);
  });

  it('is hung up when the program that holds the terminal lets go', async () => {
    const command = jail.spawn('sh', ['-c', 'echo ready; exec sleep 60'], { pty: true });
    await once(command.stdout as Readable, 'data');
    command.stdin?.destroy();
    command.stdout?.destroy();
    assert.equal((await within('the hang-up', 5000, command.exited)).signal, 'SIGHUP');
  });

  it('cannot be resized without a terminal, nor to nothing', async () => {
    const plain = jail.spawn('sleep', ['60']);
    assert.throws(() => plain.resize(80, 24), { name: 'JailError' });
    const command = jail.spawn('sleep', ['60'], { pty: true });
    await Promise.all([once(plain, 'spawn'), once(command, 'spawn')]);
    for (const size of [0, -1, 1.5, 70_000, Number.NaN]) {
      assert.throws(() => command.resize(size, 24), { name: 'JailError' });
    }
  });

  it('is listed with its terminal', async () => {
    const command = jail.spawn('sleep', ['60'], { pty: true });
    await once(command, 'spawn');
    const info = jail.processes().find(({ pid }) => pid === command.pid);
    assert.equal(typeof info?.tty, 'string');
    assert.equal(info?.sid, info?.pid, 'it leads a session of its own');
  });
});

function collect(command: JailedProcess): () => string {
  let all = '';
  command.stdout?.on('data', (data) => {
    all += data;
  });
  return () => all;
}
