import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listJails, recover } from 'dragonfly-jail';
import { isRoot, patience } from '../support/environment.js';
import { stateDirectory } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { byLength } from '../support/length.js';
import { Program } from '../support/programs.js';

// Two programs at the same names: each name is one jail at any time, whoever made it, and everybody is told the truth.

const ROUNDS = byLength(25, 1000);
const NAMES = ['shared_a', 'shared_b', 'shared_c'];

// Creates, opens, uses and stops whatever is there; counts how each of it ended.
const CONTENDER = `
  const names = ${JSON.stringify(NAMES)};
  const counts = {};
  const strange = [];
  const EXPECTED = {
    create: ['ERR_JAIL_EXISTS'],
    open: ['ERR_JAIL_NOT_FOUND'],
    use: ['ERR_JAIL_STOPPED', 'ERR_JAIL_MONITOR_LOST', 'ESRCH', 'ERR_JAIL_NOT_FOUND'],
    stop: ['ERR_JAIL_MONITOR_LOST'],
  };
  const attempt = async (what, action) => {
    const error = await action().then(() => null, (reason) => reason);
    const how = what + ' ' + (error?.code ?? 'fine');
    counts[how] = (counts[how] ?? 0) + 1;
    if (error !== null && !EXPECTED[what].includes(error.code)) strange.push(how + ': ' + error);
    return error === null;
  };
  const use = async (jail) => {
    const { stdout, signal } = await jail.exec('echo', ['x']);
    if (stdout !== 'x\\n' && signal === null) strange.push('output: ' + stdout + signal);
  };
  const turn = async (i) => {
    const name = names[i % names.length];
    let jail = null;
    if (i % 2 === 0) await attempt('create', async () => { jail = await Jail.create({ ...spec, name, persist: i % 4 === 0 }); });
    else await attempt('open', async () => { jail = await Jail.open(name); });
    if (jail === null) return;
    await attempt('use', () => use(jail));
    await attempt('stop', () => jail.stop({ graceMs: 20 }));
  };
  say('ready');
  await heard();
  for (let i = 0; i < ${ROUNDS}; i++) await Promise.all([turn(i + offset), turn(i + offset + 1)]);
  say({ counts, strange });`;

describe('two programs that create, open, use and stop jails of the same names at once', () => {
  const jails = useJails();

  it('are told who has which, and leave nothing', async function () {
    this.timeout(patience(byLength(60_000, 3_600_000)));
    const before = new Snapshot(jails.root.outside);
    const spec = jails.spec();
    await using one = new Program(`const offset = 0; ${CONTENDER}`, spec);
    await using other = new Program(`const offset = 3; ${CONTENDER}`, spec);
    await Promise.all([one.next(), other.next()]);
    one.tell();
    other.tell();
    const ends = [await untilTheEnd(one), await untilTheEnd(other)];
    console.log(`      ${ends.map(({ counts }) => JSON.stringify(counts)).join(' ')}`);
    assert.deepEqual(
      ends.flatMap(({ strange }) => strange),
      [],
    );
    assert.deepEqual([(await one.ended).code, (await other.ended).code], [0, 0]);
    for (const report of await recover()) assert.deepEqual(report.failed, []);
    assert.deepEqual(
      listJails().filter(({ name }) => NAMES.includes(name ?? '')),
      [],
    );
    assert.deepEqual(leftNames(), []);
    await before.assertNothingLeft(isRoot ? 5000 : 3000);
  });
});

interface End {
  readonly counts: Readonly<Record<string, number>>;
  readonly strange: readonly string[];
}

// A long run says nothing for longer than a test waits for a line.
async function untilTheEnd(program: Program): Promise<End> {
  const [line = '{}'] = await program.rest();
  return JSON.parse(line);
}

function leftNames(): string[] {
  const folder = join(stateDirectory(), 'names');
  return existsSync(folder) ? readdirSync(folder).filter((name) => NAMES.includes(name)) : [];
}
