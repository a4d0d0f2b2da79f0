import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Jail } from 'dragonfly-jail';
import { eventually } from '../support/environment.js';
import { useJails } from '../support/jails.js';

describe('running a command to its end', () => {
  const jails = useJails();
  let jail: Jail;

  beforeEach(async () => {
    jail = await jails.create();
  });

  it('collects both outputs and the exit code, of which none is an error', async () => {
    const result = await jail.exec('sh', ['-c', 'echo out; echo error >&2; exit 9']);
    assert.equal(result.stdout, 'out\n');
    assert.equal(result.stderr, 'error\n');
    assert.equal(result.exitCode, 9);
    assert.equal(result.signal, null);
    assert.equal(result.timedOut, false);
    assert(result.usage.wallTime > 0);
  });

  it('resolves as well when a signal ended it', async () => {
    const { exitCode, signal } = await jail.exec('sh', ['-c', 'kill -TERM $$']);
    assert.deepEqual([exitCode, signal], [null, 'SIGTERM']);
  });

  it('takes the arguments as optional', async () => {
    assert.equal((await jail.exec('pwd', { cwd: '/usr' } as never)).stdout, '/usr\n');
    assert.equal((await jail.exec('pwd')).stdout, '/\n');
  });

  it('gives it the input, as text or as bytes, and then the end', async () => {
    assert.equal((await jail.exec('cat', [], { input: 'grüße' })).stdout, 'grüße');
    const bytes = randomBytes(500_000);
    const { stdout } = await jail.exec('cat', [], { input: bytes, encoding: 'buffer' });
    assert(Buffer.isBuffer(stdout) && stdout.equals(bytes));
  });

  it('ends its input when there is none', async () => {
    assert.equal((await jail.exec('cat', [], { timeout: 5000 })).timedOut, false);
  });

  it('does not mind a command that leaves its input unread', async () => {
    const { exitCode } = await jail.exec('true', [], { input: randomBytes(1 << 20) });
    assert.equal(exitCode, 0);
  });

  it('decodes the output as asked', async () => {
    assert.equal((await jail.exec('printf', ['hi'], { encoding: 'hex' })).stdout, '6869');
    const { stdout, stderr } = await jail.exec('printf', ['hi'], { encoding: 'buffer' });
    assert.deepEqual(stdout, Buffer.from('hi'));
    assert.deepEqual(stderr, Buffer.alloc(0));
  });

  it('decodes letters that arrive in pieces', async () => {
    const { stdout } = await jail.exec('sh', ['-c', "printf '\\303'; sleep 0.1; printf '\\274'"]);
    assert.equal(stdout, 'ü');
  });

  it('is killed when it writes more than it may', async () => {
    const script = 'while :; do echo 0123456789; done';
    await assert.rejects(jail.exec('sh', ['-c', script], { maxBuffer: 1000 }), {
      code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
    });
    await assert.rejects(jail.exec('sh', ['-c', `${script} >&2`]), {
      code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
    });
    assert.equal(jail.processes().length, 0);
  });

  it('may write exactly as much as it may', async () => {
    const { stdout } = await jail.exec('printf', ['0123456789'], { maxBuffer: 10 });
    assert.equal(stdout, '0123456789');
  });

  it('says that the time was over, with what was written until then', async () => {
    const result = await jail.exec('sh', ['-c', 'echo begun; exec sleep 60'], { timeout: 300 });
    assert.equal(result.timedOut, true);
    assert.equal(result.signal, 'SIGTERM');
    assert.equal(result.stdout, 'begun\n');
  });

  it('is rejected when its AbortSignal says so, the command being gone', async () => {
    const abort = new AbortController();
    const running = jail.exec('sleep', ['60'], { signal: abort.signal });
    setTimeout(() => abort.abort(), 100);
    await assert.rejects(running, { name: 'AbortError', code: 'ABORT_ERR' });
    await eventually(() => assert.equal(jail.processes().length, 0));
  });
});
