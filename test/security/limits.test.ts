import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Jail, JailError, Limits } from 'dragonfly-jail';
import { assertWorks, compileAttacks, inside, outside } from '../support/attack.js';
import { skip, skipOnDragonfly } from '../support/environment.js';
import { useJails } from '../support/jails.js';

const MEGABYTE = 1 << 20;

describe('what a jail uses up under limits', () => {
  const jails = useJails();

  before(function () {
    compileAttacks(this, jails);
  });

  async function limited(context: Mocha.Context, limits: Limits): Promise<Jail> {
    try {
      return await jails.create({ limits });
    } catch (error) {
      if ((error as JailError).code === 'ERR_JAIL_UNSUPPORTED') skip(context, `${error}`);
      throw error;
    }
  }

  it('is its own processes: the host and other jails start theirs', async function () {
    const free = await jails.create();
    assertWorks(await inside(free, 'exhaust-processes', '60'));
    const jail = await limited(this, { processes: 20 });
    const { result, output } = await inside(jail, 'exhaust-processes', '60');
    assert.equal(result, 'EAGAIN');
    assert(Number(/got (\d+)/.exec(output)?.[1]) < 20, output);
    const bomb = jail.spawn('/hostile/attack', ['fork-without-end'], { stdio: 'ignore' });
    bomb.on('error', () => {});
    assert.equal((await free.exec('echo', ['fine'])).stdout, 'fine\n');
    assert.equal(String(execFileSync('echo', ['fine'])), 'fine\n');
  });

  it('is its own memory: what needs more is killed, and nobody else', async function () {
    const free = await jails.create();
    assertWorks(await inside(free, 'exhaust-memory', '96'));
    const jail = await limited(this, { memory: 48 * MEGABYTE });
    const { signal } = await jail.exec('/hostile/attack', ['exhaust-memory', '96']);
    assert.equal(signal, 'SIGKILL');
    assert.equal((await jail.exec('echo', ['alive'])).stdout, 'alive\n');
    assert.equal((await free.exec('echo', ['fine'])).stdout, 'fine\n');
  });

  it('is a command’s own descriptors and memory', async () => {
    const free = await jails.create();
    assertWorks(await inside(free, 'exhaust-descriptors', '200'));
    const jail = await jails.create({ limits: { nofile: 64, as: 64 * MEGABYTE } });
    const { result, output } = await inside(jail, 'exhaust-descriptors', '200');
    assert.equal(result, 'EMFILE');
    assert.match(output, /got 6[012]/);
    assert.equal((await inside(jail, 'exhaust-memory', '96')).result, 'ENOMEM');
  });
});

// Of what the kernel has for everybody, and of what takes its memory, whoever has no limits gets a share.
describe('what a jail uses up without limits', () => {
  const jails = useJails();

  before(function () {
    skipOnDragonfly(this, 'terminals are the host’s, and files take no memory of their own');
    compileAttacks(this, jails);
  });

  const got = ({ output }: { output: string }) => Number(/^got (\d+)$/m.exec(output)?.[1]);

  it('are not the terminals of all', async () => {
    assertWorks(await outside(jails, 'exhaust-terminals', '300'));
    const jail = await jails.create();
    const tried = await inside(jail, 'exhaust-terminals', '300');
    assert.equal(tried.result, 'ENOSPC', tried.output);
    assert.equal(got(tried), 256);
    assertWorks(await outside(jails, 'exhaust-terminals', '1'));
    assertWorks(await inside(await jails.create(), 'exhaust-terminals', '200'));
  });

  it('is not the kernel’s memory by empty files', async () => {
    const mounts = [
      ...jails.root.mounts.filter(({ target }) => target !== '/tmp'),
      { type: 'tmpfs', target: '/tmp', options: { size: '1m' } } as const,
      { type: 'tmpfs', target: '/mnt', options: { size: '32m' } } as const,
    ];
    const jail = await jails.create({ mounts });
    assertWorks(await outside(jails, 'exhaust-files', jails.root.outside, '10000'));
    for (const [folder, most] of Object.entries({ '/dev/shm': 1024, '/tmp': 1024, '/mnt': 8192 })) {
      const tried = await inside(jail, 'exhaust-files', folder, '10000');
      assert.equal(tried.result, 'ENOSPC', `${folder}: ${tried.output}`);
      assert(got(tried) <= most && got(tried) > most - 40, `${folder}: ${tried.output}`);
    }
  });
});
