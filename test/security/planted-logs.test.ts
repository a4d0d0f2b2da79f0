import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Jail, type JailError, listJails } from 'dragonfly-jail';
import { loadRcConf, type RcJail, startJail, stopJail } from 'dragonfly-jail/rc';
import { Supervisor } from 'dragonfly-jail/supervisor';
import { ATTACK, compileAttacks } from '../support/attack.js';
import { runDfjail } from '../support/cli-process.js';
import { eventually, onDragonfly, patience, sleep } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { deadline, startRace } from '../support/race.js';
import { makeRoot, type TestRoot } from '../support/roots.js';

// Starting a jail of rc.conf empties and writes a console log and writes an id file, with the rights of the host. Another
// jail's root can write where they are: in the jail's own directory, or because the directory for them is shared.

const SECONDS = byLength(2, 30);
const PRECIOUS = 'the host’s own\n';

describe('what the jail’s root plants in the place of', () => {
  const jails = useJails();
  let root: TestRoot;
  let shared: string;
  let victim: string;
  let precious: string;

  before(function () {
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    root = await makeRoot('planted', { ownDevices: true });
    mkdirSync(join(root.path, 'hostile'));
    mkdirSync(join(root.path, 'mnt', 'shared'), { recursive: true });
    execFileSync('cp', [join(jails.root.path, ATTACK), join(root.path, ATTACK)]);
    shared = join(root.outside, 'shared');
    victim = join(root.outside, 'victim');
    precious = join(victim, 'console.log');
    for (const folder of [shared, victim]) mkdirSync(folder);
    writeFileSync(precious, PRECIOUS);
  });
  afterEach(async () => {
    await jails.stopAll();
    for (const { path, jid } of listJails()) {
      if (path === root.path) await (await Jail.open(jid)).stop({ graceMs: 0 });
    }
    await root.remove();
  });

  it('the folder of a console log in its own directory is not written through', async function () {
    this.timeout(patience((SECONDS + 30) * 1000));
    mkdirSync(join(root.path, 'var', 'log'), { recursive: true });
    symlinkSync(victim, join(root.path, 'var', 'link'));
    assert.equal(readFileSync(join(root.path, 'var', 'link', 'console.log'), 'utf8'), PRECIOUS);
    const attacker = await attack();
    const race = await startRace(attacker, ['exchange', `${SECONDS}`, '/var/log', '/var/link']);
    const log = join(root.path, 'var', 'log', 'console.log');
    const counts = await startAgainAndAgain(conf(`jail_www_consolelog="${log}"`));
    await race.stop();
    // Without a call that exchanges names the folder is missing as often as not.
    const { started, refused } = counts;
    const both = onDragonfly ? started + refused > 0 : started > 0 && refused > 0;
    assert(both, JSON.stringify(counts));
  });

  for (const [what, name] of Object.entries({
    'a console log': 'jail_www_console.log',
    'an id file': 'jail_www.id',
  })) {
    it(`${what}, where that is shared, is not written through`, async function () {
      this.timeout(patience((SECONDS + 30) * 1000));
      const control = join(shared, 'link');
      symlinkSync(precious, control);
      assert.equal(readFileSync(control, 'utf8'), PRECIOUS);
      rmSync(control);
      const attacker = await attack();
      const place = `/mnt/shared/${name}`;
      const race = await startRace(attacker, ['plant', `${SECONDS}`, place, precious]);
      const counts = await startAgainAndAgain(conf(''));
      await race.stop();
      assert(counts.started > 0, JSON.stringify(counts));
    });
  }

  it('a service’s log, where that is shared, is not emptied when the log is moved aside', async () => {
    writeFileSync(precious, PRECIOUS.repeat(20));
    const attacker = await attack();
    const log = { file: join(shared, 'talk.log'), maxBytes: 100, keep: 2 };
    const mounts = root.mounts.filter(({ type }) => type === 'nullfs');
    const spec = { path: root.path, hostname: 'talker', mounts, persist: true };
    const talk = ['sh', '-c', 'while echo words and words; do sleep 0.05; done'] as const;
    const supervisor = new Supervisor(
      { talk: { jail: spec, command: [...talk], log } },
      { onExit: 'keep', stateFile: join(root.outside, 'state') },
    );
    try {
      await supervisor.start();
      // It is moved aside as long as it is one.
      await eventually(() => assert(existsSync(`${log.file}.1`)), 10_000);
      const planted = [
        '-c',
        'ln -s "$0" /mnt/shared/x && mv /mnt/shared/x /mnt/shared/talk.log',
        precious,
      ];
      assert.equal((await attacker.exec('sh', planted)).exitCode, 0);
      await sleep(2500); // looked at once a second
      assert.equal(readFileSync(precious, 'utf8'), PRECIOUS.repeat(20));
    } finally {
      await supervisor.stop();
    }
  });

  it('the folder of a service’s log in its own root is not written through', async function () {
    this.timeout((SECONDS + 40) * 1000);
    mkdirSync(join(root.path, 'var', 'log'), { recursive: true });
    symlinkSync(victim, join(root.path, 'var', 'link'));
    const attacker = await attack();
    const race = await startRace(attacker, ['exchange', `${SECONDS}`, '/var/log', '/var/link']);
    const mounts = root.mounts.filter(({ type }) => type === 'nullfs');
    const jail = { path: root.path, hostname: 'talker', mounts };
    const log = { file: join(root.path, 'var', 'log', 'service.log'), maxBytes: 10, keep: 2 };
    const counts = { ended: 0, refused: 0 };
    for (const end = deadline(SECONDS); performance.now() < end; counts.ended++) {
      const talk = { jail, command: ['sh', '-c', 'echo words; echo and words'], log } as const;
      const services = { talk: { ...talk, kind: 'oneshot' as const, restart: 'never' as const } };
      try {
        const stateFile = join(root.path, 'var', 'log', 'state');
        const supervisor = new Supervisor(services, { stateFile });
        supervisor.on('problem', () => counts.refused++);
        await supervisor.start();
        await supervisor.stop();
      } catch (error) {
        assert.match(String(error), /ELOOP|ENOTDIR/); // the state cannot be read either
        counts.refused++;
      }
      assert.deepEqual(readdirSync(victim), ['console.log']);
    }
    await race.stop();
    console.log(`      ended ${counts.ended} times, refused ${counts.refused} times`);
    assert(counts.ended > 0 && counts.refused > 0, JSON.stringify(counts));
  });

  it('a pipe in the place of a log, or a second name of a file, is refused, and not waited for', async () => {
    const place = join(shared, 'planted.log');
    const kinds = {
      pipe: () => execFileSync('mkfifo', [place]),
      'second name': () => linkSync(precious, place),
      link: () => symlinkSync(precious, place),
    };
    for (const [kind, plant] of Object.entries(kinds)) {
      plant();
      const argv = ['run', '-d', '--log', place, 'echo', 'words'];
      const { code, stderr } = await runDfjail(argv);
      assert.equal(code, 125, `${kind}: ${stderr}`);
      assert.equal(readFileSync(precious, 'utf8'), PRECIOUS, kind);
      rmSync(place);
    }
  });

  it('an fstab in the jail’s own directory is refused', async () => {
    const fstab = join(root.path, 'etc', 'fstab');
    writeFileSync(fstab, '');
    const jail = conf(`jail_www_mount_enable=YES\njail_www_fstab="${fstab}"`);
    const options = { stateDirectory: shared, logDirectory: shared, graceMs: 0 };
    await assert.rejects(startJail(jail, options), { code: 'ERR_JAIL_RC', file: fstab });
  });

  async function attack(): Promise<Jail> {
    const mounts = root.mounts.filter(({ type }) => type === 'nullfs');
    const own = { type: 'nullfs', source: shared, target: '/mnt/shared' } as const;
    const spec = { path: root.path, hostname: 'attacker', mounts: [...mounts, own] };
    return jails.keep(await Jail.create(spec));
  }

  function conf(further: string): RcJail {
    const mounts = root.mounts
      .filter(({ type }) => type === 'nullfs')
      .map(({ source, target }) => `${source}:${target}:ro`);
    const text = `jail_enable=YES
jail_list=www
jail_www_rootdir="${root.path}"
jail_www_hostname=www.test
jail_www_ip=127.0.0.1
jail_devfs_enable=YES
jail_mounts="${mounts.join(' ')}"
jail_exec_start="/bin/sh -c 'sleep 1000 &'"
jail_exec_stop=""
${further}
`;
    const jail = loadRcConf({ text }).jails.get('www');
    assert(jail !== undefined);
    return jail;
  }

  // Whatever was planted: it starts, or says what is wrong with its files, and the host's are as they were.
  async function startAgainAndAgain(jail: RcJail): Promise<{ started: number; refused: number }> {
    const options = { stateDirectory: shared, logDirectory: shared, graceMs: 0 };
    const counts = { started: 0, refused: 0 };
    for (const end = deadline(SECONDS); performance.now() < end; ) {
      const started = await startJail(jail, options).then(() => true, isRefusal);
      counts[started ? 'started' : 'refused']++;
      await stopJail(jail, options).catch(isRefusal);
      assert.equal(readFileSync(precious, 'utf8'), PRECIOUS);
      assert.deepEqual(readdirSync(victim), ['console.log']);
    }
    console.log(`      started ${counts.started} times, refused ${counts.refused} times`);
    return counts;
  }
});

function isRefusal(error: JailError): false {
  const isAboutFiles = /^(console-log|id-file)$/.test(`${Reflect.get(error, 'step')}`);
  assert(isAboutFiles || error.code === 'ERR_JAIL_RC', `${error}`);
  return false;
}
