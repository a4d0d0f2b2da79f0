import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jail, type JailedProcess, JailSystemError, recover } from 'dragonfly-jail';
import { placeProgram } from '../support/compiled.js';
import { eventually, needRoot, patience, skip, sleep, within } from '../support/environment.js';
import { startNeighbour, stateDirectory } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { byLength } from '../support/length.js';

// Jails that do not want to end.

const PROCESSES = byLength(100, 400);

describe('stop() of a jail', () => {
  const jails = useJails();

  it('that ignores every signal that can be ignored ends it after the grace', async () => {
    const before = new Snapshot(jails.root.outside);
    const jail = await jails.create();
    const script =
      'for s in $(seq 1 64); do trap "" $s 2>/dev/null; done; echo deaf; while :; do sleep 1; done';
    const command = jail.spawn('sh', ['-c', script]);
    await firstOutput(command);
    const start = performance.now();
    await jail.stop({ graceMs: 300 });
    const ms = performance.now() - start;
    assert(ms >= 290 && ms < 5000, `${ms} ms`);
    assert.equal((await command.exited).signal, 'SIGKILL');
    await before.assertNothingLeft();
  });

  it('whose processes are all stopped ends it', async () => {
    const jail = await jails.create();
    const command = jail.spawn('sh', [
      '-c',
      'sleep 1000 & echo on; kill -STOP -1; kill -STOP $$; sleep 1000',
    ]);
    await firstOutput(command);
    await sleep(100);
    await within('stop()', 10_000, jail.stop({ graceMs: 100 }));
  });

  for (const [how, args] of Object.entries({
    'forks without end': [],
    'forks and leaves its session': ['leave'],
  })) {
    it(`that ${how}, under a limit, ends everything; it is listed until then`, async function () {
      this.timeout(patience(60_000));
      needRoot(this);
      placeProgram(this, 'multiply', join(jails.root.path, 'multiply'));
      const before = new Snapshot(jails.root.outside);
      const jail = await limited(this);
      const command = jail.spawn('/multiply', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      command.exited.catch(() => {});
      await firstOutput(command);
      await eventually(() => {
        const { length } = jail.processes();
        assert(length > PROCESSES / 2, `${length} processes`);
      }, 20_000);
      const listings = [1, 2, 3].map(() => milliseconds(() => jail.processes()));
      assert(Math.min(...listings) < 3000, `processes() has taken ${listings.join(', ')} ms`);
      await within('stop()', 20_000, jail.stop({ graceMs: 100 }));
      await before.assertNothingLeft(10_000);
    });
  }

  it('whose mounts are held busy from inside, and whose folders from outside, ends it', async () => {
    const before = new Snapshot(jails.root.outside);
    const jail = await jails.create();
    const script =
      'cd /tmp; exec 9>/tmp/held; (cd /proc; sleep 1000) & (cd /usr; sleep 1000) & echo on; sleep 1000';
    const command = jail.spawn('sh', ['-c', script]);
    await firstOutput(command);
    await within('stop()', 10_000, jail.stop({ graceMs: 50 }));
    await before.assertNothingLeft();
  });

  it('whose control group somebody else is in says so; recover() finishes when that one has left', async function () {
    needRoot(this);
    const before = new Snapshot(jails.root.outside);
    const jail = await Jail.create(jails.spec({ name: 'held', limits: { processes: 10 } })).catch(
      (error) => skip(this, `no control groups: ${error.code}`),
    );
    const [group = ''] = groupsOf(jail.jid);
    const neighbour = startNeighbour();
    writeFileSync(join(group, 'cgroup.procs'), String(neighbour.pid));
    try {
      await assert.rejects(jail.stop(), (error: unknown) => {
        assert(error instanceof JailSystemError, String(error));
        const { code, syscall, step, path } = error;
        assert.deepEqual(
          { code, syscall, step, path },
          { code: 'EBUSY', syscall: 'rmdir', step: 'limits', path: group },
        );
        return true;
      });
      const [report] = await recover();
      assert.deepEqual(
        report?.failed.map(({ what, error }) => [what, error.code]),
        [[`cgroup ${group}`, 'EBUSY']],
      );
    } finally {
      neighbour.end();
    }
    await eventually(() => assert.equal(membersOf(group), ''));
    const [report] = await recover();
    // Or the jail's own recovery, which begins when its monitor has ended, was late enough.
    if (report !== undefined)
      assert.deepEqual(report.undone, [`cgroup ${group}`, 'registry entry']);
    assert(!existsSync(group));
    await before.assertNothingLeft();
  });

  async function limited(context: Mocha.Context): Promise<Jail> {
    return jails
      .create({ limits: { processes: PROCESSES } })
      .catch((error) => skip(context, `no control groups: ${error.code}`));
  }
});

function milliseconds(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

async function firstOutput({ stdout }: JailedProcess): Promise<void> {
  assert(stdout !== null);
  await once(stdout, 'data');
}

function membersOf(group: string): string {
  const file = join(group, 'cgroup.procs');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function groupsOf(jid: number): string[] {
  const entry = readFileSync(join(stateDirectory(), 'jails', String(jid), 'entry'), 'utf8');
  return /^cgroup (.*)$/m.exec(entry)?.[1]?.split(' ') ?? [];
}
