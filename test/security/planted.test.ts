import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jail, type JailError } from 'dragonfly-jail';
import { prepareThinRoot } from 'dragonfly-jail/rootfs';
import { openRoot } from '#internal/cli/jail-root.js';
import { ATTACK, compileAttacks } from '../support/attack.js';
import { nodePath, onDragonfly, patience } from '../support/environment.js';
import { hostMounts, monitorsOf } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { deadline, startRace } from '../support/race.js';
import { makeRoot, type TestRoot } from '../support/roots.js';
import { system } from '../support/system/index.js';

// The host touches a jail's file system when it makes another jail there, looks up a user, or prepares the root again.
// Here the jail's root has planted something in each of these places, and exchanges it for the real thing as fast as
// the kernel does that, while the host works.

const SECONDS = byLength(2, 30);
const MEGABYTE = 1 << 20;

describe('what the jail’s root plants', () => {
  const jails = useJails();
  let root: TestRoot;
  let jail: Jail;
  let victim: string;

  before(function () {
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    root = await makeRoot('planted');
    mkdirSync(join(root.path, 'hostile'));
    execFileSync('cp', [join(jails.root.path, ATTACK), join(root.path, ATTACK)]);
    victim = join(root.outside, 'victim');
    mkdirSync(victim);
    jail = jails.keep(await createHere());
  });
  afterEach(async () => {
    await jails.stopAll();
    await root.remove();
  });

  describe('as a mount point', () => {
    const links: Record<string, () => string> = {
      'an absolute link': () => victim,
      'a link that climbs': () => `${'../'.repeat(30)}${victim.slice(1)}`,
      'a link within the jail': () => '/etc',
    };
    for (const [name, link] of Object.entries(links)) {
      it(`leads nowhere: ${name}`, async () => {
        mkdirSync(join(root.path, 'mnt', 'there'));
        const { stdout, exitCode } = await jail.exec('sh', [
          '-c',
          `rmdir /mnt/there && ln -s "$0" /mnt/there && readlink /mnt/there`,
          link(),
        ]);
        assert.equal(exitCode, 0, `${stdout}`);
        await assert.rejects(createWith('/mnt/there'), isRefusal);
        await assert.rejects(createWith('/mnt/there/below'), isRefusal);
        assert.deepEqual(readdirSync(victim), []);
      });
    }

    it('is a mount point within the jail or none, while it is exchanged for a link', async function () {
      this.timeout(patience((SECONDS + 20) * 1000));
      const before = hostMounts();
      mkdirSync(join(root.path, 'mnt', 'there'));
      symlinkSync(victim, join(root.path, 'mnt', 'link'));
      const race = await exchange('/mnt/there', '/mnt/link');
      const counts = { made: 0, refused: 0 };
      for (const end = deadline(SECONDS); performance.now() < end; ) {
        const made = await createWith('/mnt/there').catch(isRefusal);
        if (made === true) counts.refused++;
        else counts.made += await checkMount(made);
      }
      await race.stop();
      console.log(`      made ${counts.made} times, refused ${counts.refused} times`);
      // Without a call that exchanges names the link is there for a moment at a time only.
      assert(counts.made > 0 && (onDragonfly || counts.refused > 0), JSON.stringify(counts));
      assert.deepEqual(hostMounts(), before);
      assert.deepEqual(readdirSync(victim), []);
    });
  });

  describe('as its list of users', () => {
    const MALLORY = 'mallory:x:0:0:mallory:/:/bin/sh\n';
    const places = {
      'a link to a file of the host': () => link(hostList()),
      'a link that climbs to it': () => link(`${'../'.repeat(30)}${hostList().slice(1)}`),
      'a link through /proc': () => link(`/proc/1/root${hostList()}`),
      'a pipe that nobody writes to': () => execFileSync('mkfifo', [list()]),
      'a directory': () => mkdirSync(list()),
      'a socket of a device': () => link('/dev/tty'),
      'a loop of links': () => link('/etc/passwd'),
      'an endless file': () => link('/dev/zero'),
    };
    for (const [name, plant] of Object.entries(places)) {
      it(`is not believed, nor waited for: ${name}`, async () => {
        rmSync(list(), { force: true });
        plant();
        await assert.rejects(jail.exec('true', [], { user: 'mallory', timeout: 3000 }), isUnknown);
        assert.equal((await jail.exec('echo', ['alive'])).stdout, 'alive\n');
      });
    }

    it('is believed when it is a file of the jail', async () => {
      writeFileSync(list(), MALLORY);
      assert.equal((await jail.exec('true', [], { user: 'mallory' })).exitCode, 0);
    });

    it('never is the host’s, while it is exchanged for a link to that', async function () {
      this.timeout(patience((SECONDS + 20) * 1000));
      symlinkSync(hostList(), join(root.path, 'etc', 'link'));
      const race = await exchange('/etc/passwd', '/etc/link');
      let asked = 0;
      for (const end = deadline(SECONDS); performance.now() < end; asked++) {
        await assert.rejects(jail.exec('true', [], { user: 'mallory' }), isUnknown);
      }
      await race.stop();
      assert(asked > 10, `${asked}`);
    });

    it('takes no more memory than it may, while it grows and shrinks', async function () {
      this.timeout(patience((SECONDS + 20) * 1000));
      const size = 512 * MEGABYTE;
      const [monitor] = monitorsOf(process.pid);
      assert(monitor !== undefined);
      const race = await startRace(jail, ['inflate', `${SECONDS}`, '/etc/passwd', `${size}`]);
      for (const end = deadline(SECONDS); performance.now() < end; ) {
        await jail.exec('true', [], { user: 'mallory' }).catch(isUnknown);
      }
      await race.stop();
      const peak = system.peakSize(monitor.pid);
      assert(peak < 16 * MEGABYTE, `${peak} bytes`);
    });

    function list(): string {
      return join(root.path, 'etc', 'passwd');
    }
    function hostList(): string {
      const path = join(root.outside, 'host-passwd');
      writeFileSync(path, MALLORY);
      chmodSync(path, 0o644);
      return path;
    }
    function link(to: string): void {
      symlinkSync(to, list());
    }
  });

  it('as a working directory stays within the jail', async () => {
    await jail.exec('sh', ['-c', 'ln -s "$0" /out; ln -s /tmp /in', victim]);
    const { stdout } = await jail.exec('pwd', ['-P'], { cwd: '/in' });
    assert.equal(stdout, '/tmp\n');
    await assert.rejects(jail.exec('pwd', [], { cwd: '/out' }), { code: 'ENOENT', step: 'cwd' });
  });

  it('is a working directory within the jail or none, while it is exchanged for a link', async function () {
    this.timeout(patience((SECONDS + 20) * 1000));
    writeFileSync(join(victim, 'secret'), 'the host’s');
    mkdirSync(join(root.path, 'mnt', 'there'));
    symlinkSync(victim, join(root.path, 'mnt', 'link'));
    writeFileSync(join(root.path, 'mnt', 'there', 'own'), 'the jail’s');
    const race = await exchange('/mnt/there', '/mnt/link');
    const counts = { inside: 0, refused: 0 };
    for (const end = deadline(SECONDS); performance.now() < end; ) {
      const found = await jail.exec('ls', [], { cwd: '/mnt/there' }).catch(isRefusal);
      if (found === true) counts.refused++;
      else counts.inside += found.stdout === 'own\n' ? 1 : assert.fail(`${found.stdout}`);
    }
    await race.stop();
    console.log(`      entered ${counts.inside} times, refused ${counts.refused} times`);
    assert(counts.inside > 0 && (onDragonfly || counts.refused > 0), JSON.stringify(counts));
  });

  it('as a program stays within the jail', async () => {
    const program = join(victim, 'program');
    writeFileSync(program, '#!/bin/sh\necho outside\n', { mode: 0o755 });
    execFileSync(program);
    await jail.exec('sh', ['-c', 'ln -s "$0" /program', program]);
    await assert.rejects(jail.exec('/program'), { code: 'ENOENT', step: 'exec' });
  });

  for (const place of ['etc', 'var', 'tmp', 'dev']) {
    it(`in the place of /${place} is not written through when the root is prepared again`, async function () {
      this.timeout(patience((SECONDS + 20) * 1000));
      await jails.stopAll();
      // No other mounts: what is to be exchanged must not be busy.
      const mounts = root.mounts.filter(({ type }) => type === 'nullfs');
      jail = jails.keep(await Jail.create({ path: root.path, hostname: 'planted', mounts }));
      symlinkSync(victim, join(root.path, 'planted'));
      writeFileSync(join(root.path, 'planted', 'shown'), 'by this path one would write outside');
      assert.deepEqual(readdirSync(victim), ['shown']);
      rmSync(join(victim, 'shown'));
      const race = await exchange(`/${place}`, '/planted');
      let prepared = 0;
      for (const end = deadline(SECONDS / 2); performance.now() < end; prepared++) {
        await prepareThinRoot(root.path, { include: [nodePath] }).catch(() => {});
      }
      await race.stop();
      assert(prepared > 0);
      assert.deepEqual(readdirSync(victim), []);
    });
  }

  it('in the place of a mount point is not written through when dfjail makes what is missing', async function () {
    this.timeout(patience((SECONDS + 20) * 1000));
    await jails.stopAll();
    const mounts = root.mounts.filter(({ type }) => type === 'nullfs');
    jail = jails.keep(await Jail.create({ path: root.path, hostname: 'planted', mounts }));
    mkdirSync(join(root.path, 'mnt', 'there'));
    symlinkSync(victim, join(root.path, 'mnt', 'link'));
    const race = await exchange('/mnt/there', '/mnt/link');
    const request = { path: root.path, thin: true, include: [nodePath] };
    let prepared = 0;
    for (const end = deadline(SECONDS); performance.now() < end; prepared++) {
      const target = `/mnt/there/below-${prepared}`;
      const own = [{ type: 'tmpfs', target } as const];
      await openRoot(request, { hostname: 'made', mounts: own }).catch(isRefusal);
    }
    await race.stop();
    const made = ['there', 'link'].flatMap((name) => readdirSync(join(root.path, 'mnt', name)));
    assert(prepared > 0 && made.length > 0, `${prepared}, ${made.length}`);
    assert.deepEqual(readdirSync(victim), []);
  });

  // ---- the jail's side

  function exchange(one: string, other: string) {
    return startRace(jail, ['exchange', `${SECONDS}`, one, other]);
  }

  // ---- the host's side

  function createHere(): Promise<Jail> {
    return Jail.create({ path: root.path, hostname: 'planted', mounts: root.mounts });
  }

  function createWith(target: string): Promise<Jail> {
    const mounts = [...root.mounts, { type: 'tmpfs', target } as const];
    return Jail.create({ path: root.path, hostname: 'second', mounts });
  }

  async function checkMount(made: Jail): Promise<number> {
    if (onDragonfly) {
      const place = `tmpfs on ${root.path}/mnt/`;
      const found = hostMounts().filter((line) => line.startsWith(place));
      await made.stop({ graceMs: 0 });
      assert.match(found.join(), /\/mnt\/(there|link|there\.aside) /);
      return 1;
    }
    const { stdout } = await made.exec('cat', ['/proc/self/mountinfo']);
    await made.stop({ graceMs: 0 });
    // By now the directory has perhaps the other name.
    assert.match(String(stdout), / \/mnt\/(there|link) .* - tmpfs /);
    return 1;
  }
});

// Nothing of the place itself is told apart: not there, not a directory, a link.
function isRefusal(error: JailError): true {
  assert.match(error.code, /^(ELOOP|ENOTDIR|ENOENT|EXDEV)$/, `${error}`);
  return true;
}

function isUnknown(error: JailError): true {
  assert.equal(error.code, 'ERR_JAIL_UNKNOWN_USER', `${error}`);
  return true;
}
