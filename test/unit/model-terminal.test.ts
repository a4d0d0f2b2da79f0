import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { ModelKernel, useModelKernel } from '#internal/backends/model/index.js';
import { Jail, type JailedProcess } from '#internal/index.js';
import { eventually } from '../support/environment.js';

describe('a scripted program on a terminal', () => {
  let kernel: ModelKernel;
  let restore: () => void;
  let jail: Jail;

  beforeEach(async () => {
    kernel = new ModelKernel();
    kernel.directory('/jail');
    kernel.programs
      .add('/bin/lines', async ({ stdin, stdout }) => {
        for await (const chunk of stdin) stdout.write(`<${JSON.stringify(String(chunk))}>`);
      })
      .add('/bin/keys', async ({ terminal, stdin, stdout }) => {
        terminal?.setRaw(true);
        stdout.write('raw');
        for await (const chunk of stdin) {
          stdout.write(`<${JSON.stringify(String(chunk))}>`);
          if (String(chunk) === 'q') return 5;
        }
        return 0;
      })
      .add('/bin/size', async ({ terminal, onSignal, forever, stdout }) => {
        const tell = () => stdout.write(`${terminal?.size.columns}x${terminal?.size.rows} `);
        onSignal('SIGWINCH', tell);
        tell();
        await forever();
      });
    restore = useModelKernel(kernel);
    jail = await Jail.create({ path: '/jail', hostname: 'h' });
  });
  afterEach(async () => {
    await jail.stop({ graceMs: 0 });
    restore();
  });

  function shown(command: JailedProcess): () => string {
    let all = '';
    command.stdout?.on('data', (chunk) => {
      all += chunk;
    });
    return () => all;
  }

  it('gets whole lines, edited, and sees what is typed', async () => {
    const command = jail.spawn('/bin/lines', [], { pty: true });
    const screen = shown(command);
    command.stdin?.write('ab\x7fc\rlost\x15kept\r');
    await eventually(() => assert.match(screen(), /<"ac\\n">.*<"kept\\n">/s));
    assert(screen().startsWith('ab\b \bc\r\n'), JSON.stringify(screen()));
    command.stdin?.write('half\x04');
    await eventually(() => assert.match(screen(), /<"half">/));
    command.stdin?.write('\x04');
    assert.equal((await command.exited).exitCode, 0);
  });

  it('gets every key as it is in raw mode, unseen', async () => {
    const command = jail.spawn('/bin/keys', [], { pty: true });
    const screen = shown(command);
    await eventually(() => assert.equal(screen(), 'raw'));
    command.stdin?.write('\x03\r');
    await eventually(() => assert.equal(screen(), 'raw<"\\u0003\\r">'));
    command.stdin?.write('q');
    assert.equal((await command.exited).exitCode, 5);
  });

  it('is told of each size, and by which keys it is signalled', async () => {
    for (const [key, signal] of [
      ['\x03', 'SIGINT'],
      ['\x1c', 'SIGQUIT'],
    ] as const) {
      const command = jail.spawn('/bin/size', [], { pty: { columns: 80, rows: 24 } });
      const screen = shown(command);
      await eventually(() => assert.match(screen(), /80x24/));
      command.resize(100, 30);
      await eventually(() => assert.match(screen(), /100x30/));
      command.stdin?.write(key);
      assert.equal((await command.exited).signal, signal);
    }
  });

  it('leaves no descriptor', async () => {
    const once = async () => {
      const command = jail.spawn('/bin/lines', [], { pty: true });
      const all = text(command.stdout as NodeJS.ReadableStream);
      command.stdin?.end('x\r');
      assert.match(await all, /<"x\\n">/);
      await command.exited;
    };
    await once();
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 5; round++) await once();
    await eventually(() => assert.equal(readdirSync('/proc/self/fd').length, before));
  });
});
