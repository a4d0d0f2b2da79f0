import assert from 'node:assert/strict';
import {
  type CompiledField,
  compiledLayout,
} from '#internal/backends/dragonfly/compiled-layout.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { allRows, recordedFile } from '../support/recordings.js';
import { replayAttach } from '../support/replay/attach.js';
import { replayCwd } from '../support/replay/cwd.js';
import { replayHostname, replaySignals, replayUids } from '../support/replay/inside.js';
import { replayJailArgs } from '../support/replay/jail-args.js';
import { replayJidWrap, replayLifetime } from '../support/replay/lifetime.js';
import { replayListenOverride, replayTimeWait } from '../support/replay/listeners.js';
import { replayListOrder } from '../support/replay/lists.js';
import { replayNet, replayNetDomains } from '../support/replay/net.js';
import { rawProcess, replayKinfo, replayLwp, replayZombie } from '../support/replay/processes.js';
import type { LeftOut, Replay } from '../support/replay/replay.js';
import { replaySysctl } from '../support/replay/sysctl.js';
import { replayThreads } from '../support/replay/threads.js';

// The recordings of a real kernel, replayed against the model and the codecs: the same calls, in the same order, with
// the same answers, errno for errno and byte for byte.

const REPLAYS: Readonly<Record<string, readonly (() => Replay)[]>> = {
  'jail-args': [replayJailArgs],
  'list-order': [replayListOrder],
  sysctl: [replaySysctl],
  jail_attach: [replayAttach],
  lifetime: [replayLifetime],
  hostname: [() => replayHostname('host'), () => replayHostname('host_smp2')],
  uids: [replayUids],
  'jid-wrap': [replayJidWrap],
  zombie: [replayZombie],
  signals: [replaySignals],
  kinfo: [replayKinfo],
  lwp: [replayLwp],
  net: [replayNet],
  'net-domains': [replayNetDomains],
  'listen-override': [replayListenOverride],
  timewait: [replayTimeWait],
  cwd: [replayCwd],
  threads: [replayThreads],
};

const NOT_REPLAYED: Readonly<Record<string, string>> = {
  fs: 'device nodes, chroot inside chroot and inode numbers of real file systems, which the model has not',
  misc: 'time, limits, modules, IPC and scheduling of jailed root are not modelled',
  mounts: 'which devices a devfs shows to whom is not modelled',
  procfs: 'the files of procfs are not modelled',
};

describe('conformance with the recordings', () => {
  const leftOut: LeftOut[] = [];
  let replayed = 0;

  for (const [group, replays] of Object.entries(REPLAYS)) {
    const total = allRows().filter((row) => row.group === group).length;
    it(`${group}: ${total} cases`, () => {
      let seen = 0;
      for (const run of replays) {
        const replay = run();
        replay.finish();
        leftOut.push(...replay.leftOut);
        seen += replay.replayed + replay.leftOut.length;
        replayed += replay.replayed;
      }
      assert.equal(seen, total);
    });
  }

  for (const [group, reason] of Object.entries(NOT_REPLAYED)) {
    it(`${group}: not replayed, since ${reason}`, () => {
      assert.ok(allRows().some((row) => row.group === group));
    });
  }

  it('every group is replayed, or named with the reason', () => {
    const groups = new Set(allRows().map((row) => row.group));
    const known = new Set([...Object.keys(REPLAYS), ...Object.keys(NOT_REPLAYED)]);
    assert.deepEqual([...groups].sort(), [...known].sort());
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
