import assert from 'node:assert/strict';
import {
  type CompiledField,
  compiledLayout,
} from '#internal/backends/dragonfly/compiled-layout.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { allRows, recordedFile } from '../support/recordings.js';
import { replayedGroups, replayGroup } from '../support/replay/groups.js';
import { rawProcess } from '../support/replay/processes.js';
import { type LeftOut, UNKNOWN } from '../support/replay/replay.js';

// The recordings of a real kernel, replayed against the model and the codecs: the same calls, in the same order, with
// the same answers, errno for errno and byte for byte.

const NOT_REPLAYED: Readonly<Record<string, string>> = {};

/** Jails that were made on that kernel, in cases that the recording leaves out. */
const JIDS_BETWEEN: Readonly<Record<string, number>> = { 'jail-args': 15, 'jid-wrap': 0 };

describe('conformance with the recordings', () => {
  const leftOut: LeftOut[] = [];
  let replayed = 0;

  for (const group of replayedGroups) {
    const rows = allRows().filter((row) => row.group === group);
    it(`${group}: ${rows.length} cases`, () => {
      const outcome = replayGroup(group, rows);
      leftOut.push(...outcome.leftOut);
      replayed += outcome.replayed;
      assert.deepEqual(outcome.differences, []);
      assert.equal(outcome.replayed + outcome.leftOut.length, rows.length);
      assert.equal(outcome.jidsBetween, JIDS_BETWEEN[group] ?? 0, 'jids that no case tells of');
    });
  }

  for (const [group, reason] of Object.entries(NOT_REPLAYED)) {
    it(`${group}: not replayed, since ${reason}`, () => {
      assert.ok(allRows().some((row) => row.group === group));
    });
  }

  it('every group is replayed, or named with the reason', () => {
    const groups = new Set(allRows().map((row) => row.group));
    const known = new Set([...replayedGroups, ...Object.keys(NOT_REPLAYED)]);
    assert.deepEqual([...groups].sort(), [...known].sort());
  });

  it('every case is known', () => {
    const unknown = leftOut.filter(({ reason }) => reason === UNKNOWN);
    assert.deepEqual(
      unknown.map(({ group, case: name }) => `${group}: ${name}`),
      [],
    );
  });

  it('every raw kinfo_proc decodes to what its case says', () => {
    const raw = allRows().filter((row) => row.hex !== undefined);
    assert.equal(raw.length, 4);
    for (const row of raw) {
      const process = rawProcess(row);
      if (row.pid !== undefined) assert.equal(process.pid, row.pid);
      if (row.ppid !== undefined) assert.equal(process.ppid, row.ppid);
      if (row.jid !== undefined) assert.equal(process.jid, row.jid);
      assert.equal(process.command, 'rec');
    }
  });

  after(() => {
    const cases = leftOut.map(({ group, case: name, reason }) => `  ${group}, ${name}: ${reason}`);
    const groups = Object.entries(NOT_REPLAYED).map(([group, reason]) => `  ${group}: ${reason}`);
    console.log(`    replayed: ${replayed} of ${allRows().length} cases; not replayed:`);
    console.log([...groups, ...cases].map((line) => `    ${line}`).join('\n'));
  });
});

describe('the layout of 5.9', () => {
  const abi = JSON.parse(recordedFile('abi-5.9.json'));
  const names = {
    jail: 'jail',
    jailV0: 'jail_v0',
    sockaddrStorage: 'sockaddr_storage',
    sockaddrIn: 'sockaddr_in',
    sockaddrIn6: 'sockaddr_in6',
    sockaddrUn: 'sockaddr_un',
    kinfoProc: 'kinfo_proc',
    kinfoLwp: 'kinfo_lwp',
    timeval: 'timeval',
    rusage: 'rusage',
  } as const;

  it('has the recorded sizes and offsets', () => {
    assert.deepEqual(Object.keys(names).sort(), Object.keys(layout59.structs).sort());
    for (const [own, recorded] of Object.entries(names)) {
      const { size, fields } = layout59.structs[own as keyof typeof names];
      const { sizeof, fields: places } = abi.structs[recorded];
      assert.deepEqual({ size, fields }, { size: sizeof, fields: places }, recorded);
    }
  });

  it('is what an addon compiled there would tell', () => {
    const table = Object.values(names).flatMap((structure): CompiledField[] => {
      const { sizeof, fields } = abi.structs[structure];
      const places = Object.entries(fields as Record<string, [number, number]>);
      return [
        { structure, field: '', offset: 0, size: sizeof },
        ...places.map(([field, [offset, size]]) => ({ structure, field, offset, size })),
      ];
    });
    assert.deepEqual(compiledLayout(table), layout59);
    for (const missing of ['kp_jailid', '']) {
      const incomplete = table.filter(
        ({ structure, field }) => structure !== 'kinfo_proc' || field !== missing,
      );
      assert.throws(() => compiledLayout(incomplete), { code: 'ERR_JAIL_PROTOCOL' });
    }
  });

  it('has the recorded numbers', () => {
    for (const [name, value] of Object.entries(layout59.errno))
      assert.equal(value, abi.errno[name]);
    for (const [name, value] of Object.entries(layout59.signals)) {
      assert.equal(value, abi.signals[name]);
    }
    for (const [name, value] of Object.entries(layout59.processFlags)) {
      assert.equal(value, abi.p_flags[name]);
    }
    const { families, limits } = layout59;
    assert.equal(families.inet6, abi.consts.AF_INET6);
    assert.equal(limits.hostname, abi.consts.MAXHOSTNAMELEN);
    assert.equal(limits.path, abi.consts.MAXPATHLEN);
  });
});
