import assert from 'node:assert/strict';
import { listJails } from 'dragonfly-jail';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { eventually, isRoot, patience } from '../support/environment.js';
import { networkNamespaces } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { Program } from '../support/programs.js';
import { systemUrl } from '../support/system/index.js';

interface Measured {
  descriptors: number;
  children: number;
  rss: number;
  seconds: number;
}

// Counts in its own process, where no test runner gets in between.
const CYCLES = `
  const { system } = await import(${JSON.stringify(systemUrl)});
  async function cycles(count) {
    for (let i = 0; i < count; i++) {
      const jail = await Jail.create(spec);
      const { stdout } = await jail.exec('echo', ['hello']);
      if (stdout !== 'hello\\n') throw new Error('lost output: ' + stdout);
      await jail.stop();
    }
  }
  async function measure() {
    // What is waiting for its turn is done, and what is not needed is given back.
    await sleep(100);
    for (let i = 0; i < 4; i++) { gc(); await sleep(20); }
    const children = system.processes().filter(({ parent }) => parent === process.pid);
    return {
      descriptors: system.ownDescriptors().length,
      children: children.length,
      rss: system.residentSize(process.pid),
      seconds: process.uptime(),
    };
  }
  await cycles(60);
  say(await measure());
  await cycles(200);
  say(await measure());`;

describe('200 jails, one after the other', () => {
  const jails = useJails();

  it('leave descriptors, processes, mounts, namespaces and memory as they were', async function () {
    this.timeout(patience(120_000));
    const before = new Snapshot(jails.root.outside);
    const namespaces = networkNamespaces().size;
    const spec = jails.spec({ addresses: [nextIPv4(), nextIPv6()] });
    // V8 makes its young generation larger while a program runs, up to 16 MB, whatever that does: by 4 MB within these
    // cycles. Kept at one size, only what is really kept counts.
    const flags = ['--expose-gc', '--max-semi-space-size=1'];
    await using program = new Program(CYCLES, spec, { flags });
    const warm = await program.next<Measured>();
    const done = await program.next<Measured>();
    assert.equal(done.descriptors, warm.descriptors, 'descriptors');
    assert.equal(done.children, 0, 'children');
    const growth = done.rss / warm.rss - 1;
    assert(growth < 0.05, `the resident size grew by ${(growth * 100).toFixed(1)} %`);
    assert.equal((await program.ended).code, 0);
    await before.assertNothingLeft();
    await eventually(() => {
      // Other programs of the machine may have made some meanwhile; theirs are listed.
      const grown = networkNamespaces().size - namespaces;
      assert(grown <= listJails().length, `${grown} network namespaces are left`);
    });
  });

  it('leave nothing when each of them fails', async () => {
    await jails.create().then((jail) => jail.stop());
    const before = new Snapshot(jails.root.outside);
    const mounts = [...jails.root.mounts, { type: 'tmpfs' as const, target: '/missing' }];
    for (let i = 0; i < 30; i++) {
      const addresses = isRoot && i % 10 ? [] : [nextIPv4()];
      await assert.rejects(jails.create({ mounts, addresses }), { code: 'ENOENT' });
    }
    await before.assertNothingLeft();
  });

  it('leave nothing of 300 commands, half of which fail', async () => {
    const jail = await jails.create();
    await jail.exec('true');
    const before = new Snapshot('/nowhere');
    for (let i = 0; i < 15; i++) {
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          n % 2 ? jail.exec('echo', ['x']) : assert.rejects(jail.exec('/missing')),
        ),
      );
    }
    await before.assertNothingLeft();
    assert.deepEqual(jail.commands(), []);
  });
});
