import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allRows, type Row } from '../support/recordings.js';
import { replayedGroups, replayGroup, sectionsIn } from '../support/replay/groups.js';
import { UNKNOWN } from '../support/replay/replay.js';

// Another file than the one that is kept here: of the same recorder, with fewer cases, with more, from other boots, in
// which jails and processes had other numbers. Replays find their cases by what they are.

/** Cases without which others mean nothing: they go together. */
function kept(rows: readonly Row[], dropped: ReadonlySet<number>): Row[] {
  const sections = sectionsIn(rows);
  const gone = new Set(sections.filter((name, at) => rows[at]?.case === name && dropped.has(at)));
  return rows.filter((_row, at) => !dropped.has(at) && !gone.has(sections[at] ?? ''));
}

function rowsOf(group: string): Row[] {
  return allRows().filter((row) => row.group === group);
}

const JAIL_NODE = /\bjail\.(\d{1,2})(?!\d)/g;

/** The same with all jails and processes numbered so much higher; what has raw records in it stays as it is. */
function renumbered(row: Row, jids: number, pids: number): Row {
  const node = (text: string) =>
    text.replaceAll(JAIL_NODE, (all, jid) => (jid === '0' ? all : `jail.${Number(jid) + jids}`));
  const changed: Record<string, unknown> = { ...row, case: node(row.case), boot: `x-${row.boot}` };
  if (row.call === 'jail' && row.ret > 0) changed.ret = row.ret + jids;
  if (/^get(ppid|sid|pgid)$/.test(row.call) && row.ret > 1) changed.ret = row.ret + pids;
  for (const name of ['b', 'c']) if (name in row) changed[name] = Number(row[name]) + jids;
  if (typeof row.list === 'string') Object.assign(changed, listOf(row.list, jids));
  if (row.case === 'jail.list' && typeof row.value_hex === 'string' && row.value_hex !== '') {
    const { list } = listOf(Buffer.from(row.value_hex, 'hex').toString('latin1'), jids);
    changed.value_hex = Buffer.from(list, 'latin1').toString('hex');
    changed.len = list.length;
  }
  return changed as Row;
}

function listOf(text: string, jids: number): Pick<Row, 'list_len' | 'list_hex'> & { list: string } {
  const list = text
    .split('\n')
    .map((line) => line.replace(/^\d+(?= )/, (jid) => String(Number(jid) + jids)))
    .join('\n');
  const hex = Buffer.from(list, 'latin1').toString('hex').slice(0, 1024);
  return { list, list_len: list.length, list_hex: hex };
}

/** Records and listings of processes tell the numbers of one boot in many places. */
const RAW = ['kinfo', 'zombie', 'lwp', 'jid-wrap', 'jail_attach', 'jid-restart'];

describe('replays of another recording', () => {
  for (const group of replayedGroups) {
    const rows = rowsOf(group);
    it(`${group}: some cases are missing`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: rows.length - 1 })), (dropped) => {
          const left = kept(rows, new Set(dropped));
          const outcome = replayGroup(group, left);
          assert.deepEqual(outcome.differences, []);
          assert.equal(outcome.replayed + outcome.leftOut.length, left.length);
          assert.ok(outcome.leftOut.every(({ reason }) => reason !== UNKNOWN));
        }),
        { numRuns: group === 'jid-wrap' ? 2 : 30 },
      );
    });

    it(`${group}: the cases of a group stand anywhere in the file`, () => {
      const outcome = replayGroup(group, rows);
      const boots = [...new Set(rows.map(({ boot }) => boot))].reverse();
      const other = boots.flatMap((boot) => rows.filter((row) => row.boot === boot));
      assert.deepEqual(replayGroup(group, other).differences, []);
      assert.equal(replayGroup(group, other).replayed, outcome.replayed);
    });

    it(`${group}: cases that nobody knows are told of, and disturb no other`, () => {
      fc.assert(
        fc.property(fc.nat({ max: rows.length }), fc.constantFrom('stat', 'jail'), (at, call) => {
          const added = unknownRow(group, rows[Math.min(at, rows.length - 1)]?.boot ?? '', call);
          const outcome = replayGroup(group, [...rows.slice(0, at), added, ...rows.slice(at)]);
          assert.deepEqual(outcome.differences, []);
          const { replayed, leftOut } = replayGroup(group, rows);
          assert.equal(outcome.replayed, replayed);
          const told = { group, case: added.case, reason: UNKNOWN };
          assert.deepEqual(
            outcome.leftOut.filter(({ reason }) => reason === UNKNOWN),
            [told],
          );
          assert.equal(outcome.leftOut.length, leftOut.length + 1);
        }),
        { numRuns: group === 'jid-wrap' ? 2 : 10 },
      );
    });

    if (RAW.includes(group)) continue;
    it(`${group}: jails and processes have other numbers, and the boot another name`, () => {
      fc.assert(
        fc.property(fc.nat({ max: 40 }), fc.nat({ max: 400 }), (jids, pids) => {
          const outcome = replayGroup(
            group,
            rows.map((row) => renumbered(row, jids, pids)),
          );
          assert.deepEqual(outcome.differences, []);
          assert.equal(outcome.replayed, replayGroup(group, rows).replayed);
        }),
        { numRuns: 10 },
      );
    });
  }

  it('a group that nobody knows is told of', () => {
    const added = unknownRow('none', 'none', 'jail');
    const { replayed, leftOut } = replayGroup('none', [added]);
    assert.equal(replayed, 0);
    assert.deepEqual(leftOut, [{ group: 'none', case: added.case, reason: UNKNOWN }]);
  });

  it('a case that says something else is a difference', () => {
    for (const group of ['jail-args', 'net', 'sysctl', 'cwd', 'lifetime', 'misc', 'fs']) {
      const rows = rowsOf(group);
      const at = Math.max(
        0,
        rows.findIndex(({ err }) => err !== '0'),
      );
      const changed = rows.map((row, index) => (index === at ? { ...row, err: 'EIO' } : row));
      const { differences } = replayGroup(group, changed);
      assert.equal(differences.length, 1, group);
    }
  });
});

function unknownRow(group: string, boot: string, call: string): Row {
  const result = { ret: -1, errno: 99, err: 'EASYNC' };
  return { group, boot, case: 'a case that was never there', call, ...result };
}
