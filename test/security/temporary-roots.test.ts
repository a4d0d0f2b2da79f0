import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeThinFolder, removeThinFolder, sweepThinFolders } from '#internal/cli/thin-folder.js';
import { compileAttacks } from '../support/attack.js';
import { runDfjail } from '../support/cli-process.js';
import { needRoot, onDragonfly, skip } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { byLength } from '../support/length.js';
import { deadline, startRace } from '../support/race.js';

// `dfjail run` removes the root of its jail, and of dead ones, with the rights of who runs it. Where the folder of these
// roots is shared with a jail, that can put links in the place of directories while they are removed; and whoever makes
// jails in several registries must not take the living jails of one for the dead ones of another.

const SECONDS = byLength(4, 30);
const FILES = 40;

describe('the temporary roots of dfjail', () => {
  const jails = useJails();
  const temporary = process.env.TMPDIR;
  let folder: string;

  before(function () {
    compileAttacks(this, jails);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfjail-roots-test-'));
    process.env.TMPDIR = folder;
  });
  afterEach(async () => {
    await jails.stopAll();
    if (temporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporary;
    await rm(folder, { recursive: true, force: true });
  });

  it('are removed without following a link, while directories are exchanged for links', async function () {
    this.timeout((SECONDS + 30) * 1000);
    const victim = join(jails.root.outside, 'precious');
    mkdirSync(victim);
    fill(victim);
    const shared = { type: 'nullfs', source: folder, target: '/mnt/temporary' } as const;
    mkdirSync(join(jails.root.path, 'mnt', 'temporary'), { recursive: true });
    const jail = await jails.create({ mounts: [...jails.root.mounts, shared] });
    let removed = 0;
    for (const end = deadline(SECONDS); performance.now() < end; removed++) {
      const root = await makeThinFolder();
      mkdirSync(join(root, 'there'));
      fill(join(root, 'there'));
      symlinkSync(victim, join(root, 'link'));
      const seen = root.replace(folder, '/mnt/temporary');
      const race = await startRace(jail, ['exchange', '10', `${seen}/there`, `${seen}/link`]);
      await removeThinFolder(root).catch(() => {});
      await race.stop();
      assert.equal(readdirSync(victim).length, FILES, 'files of the host are gone');
      rmSync(root, { recursive: true, force: true });
    }
    console.log(`      removed ${removed} roots`);
    assert(removed > 3, `${removed}`);
  });

  it('are not opened up through a link when a jail has closed its directories', async function () {
    if (onDragonfly || process.geteuid?.() === 0) skip(this, 'root needs to open nothing');
    const root = await makeThinFolder();
    const victim = join(jails.root.outside, 'closed');
    mkdirSync(victim, { mode: 0o500 });
    writeFileSync(join(root, 'file'), '');
    mkdirSync(join(root, 'closed', 'below'), { recursive: true });
    symlinkSync(victim, join(root, 'closed', 'link'));
    chmodSync(join(root, 'closed'), 0);
    await removeThinFolder(root);
    assert(!existsSync(root));
    assert.equal(statSync(victim).mode & 0o777, 0o500);
  });

  it('are removed however deep they are', async () => {
    const root = await makeThinFolder();
    const start = process.cwd();
    process.chdir(root);
    for (let depth = 0; depth < 1000; depth++) {
      mkdirSync('a');
      process.chdir('a');
    }
    process.chdir(start);
    await removeThinFolder(root);
    assert(!existsSync(root));
  });

  it('stay while their jail lives, whatever registry it is in', async function () {
    this.timeout(30_000);
    const states = ['one', 'other'].map((name) => join(folder, `state-${name}`));
    const [env, otherEnv] = states.map((state) => ({
      TMPDIR: folder,
      DRAGONFLY_JAIL_STATE: state,
    }));
    assert(env !== undefined && otherEnv !== undefined);
    const made = await runDfjail(['run', '--json', '-d', 'sleep', '100'], { env });
    const { jid } = JSON.parse(made.stdout);
    const listed = await runDfjail(['ls', '--json'], { env });
    const { path } = JSON.parse(listed.stdout).find((each: { jid: number }) => each.jid === jid);
    try {
      writeFileSync(join(path, 'mine'), 'of a living jail');
      assert.equal((await runDfjail(['run', 'true'], { env: otherEnv })).code, 0);
      await runDfjail(['recover'], { env: otherEnv });
      assert.equal(readFileSync(join(path, 'mine'), 'utf8'), 'of a living jail');
    } finally {
      await runDfjail(['stop', '--grace', '0', `${jid}`], { env });
    }
    assert(!existsSync(path), 'the root of a jail that was stopped is left');
  });

  it('of the dead are swept, those of their makers are not', async () => {
    const root = await makeThinFolder();
    assert.deepEqual(await sweepThinFolders(), []);
    const left = join(dirname(root), basename(root).replace(/.{4}$/, 'dead'));
    mkdirSync(left);
    assert.deepEqual(await sweepThinFolders(), [left]);
    assert(existsSync(root));
    await removeThinFolder(root);
  });

  it('are in a folder that is refused when it is somebody else’s', async function () {
    needRoot(this);
    const place = join(folder, 'dfjail-roots-0');
    symlinkSync('/tmp', place);
    await assert.rejects(makeThinFolder(), /ELOOP|ENOTDIR|EMLINK/);
    rmSync(place);
    mkdirSync(place, { mode: 0o755 });
    await assert.rejects(makeThinFolder(), { code: 'EPERM', step: 'root' });
  });

  function fill(directory: string): void {
    for (let n = 0; n < FILES; n++) writeFileSync(join(directory, `file-${n}`), '');
  }
});
