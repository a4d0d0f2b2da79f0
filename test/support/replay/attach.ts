import assert from 'node:assert/strict';
import { decodeInt, encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import { KernelError, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy, type Outcome, type Row } from '../recordings.js';
import type { Correspondence } from './correspondence.js';
import { furnished, jailedChild } from './lists.js';
import type { Replay, Sections } from './replay.js';

const INT_MAX = 2_147_483_647;

const DIRECTORIES = /^allow_open_directories=\d, open dir fd, attach$/;

/** A case that begins with dots is about the attempt above it. */
export const attempts: Sections = {
  opens: (row) => DIRECTORIES.test(row.case),
  within: (row) => row.case.startsWith('...'),
};

/** The group `jail_attach`: who may enter, what it changes, and what open directories do. */
export function replayAttach(replay: Replay): void {
  const { recorder } = furnished();
  const first = jailedChild(recorder, 'att', '/tmp/d');
  replayNumbers(replay, recorder);
  replayUsers(replay, recorder);
  replayFromInside(replay, recorder);
  const second = jailedChild(recorder, 'att2');
  replayDirectories(replay, recorder, second.jid);
  replayFailures(replay, recorder, first);
  endChild(recorder, second);
}

function tell(child: ModelProcess, row: Row, numbers: Correspondence): void {
  const jailed = decodeInt(child.sysctl('jail.jailed').bytes);
  const shown = { hostname_after: child.gethostname(), jailed, cwd: cwdOf(child) ?? '' };
  const { hostname_after, cwd } = row;
  assert.deepEqual(shown, { hostname_after, jailed: row.jailed, cwd }, row.case);
  for (const [path, recorded] of [
    ['/', row.root_ino],
    ['.', row.cwd_ino],
  ] as const) {
    const { device, inode } = child.stat(path);
    numbers.same('file', recorded, `${device} ${inode}`, row.case);
  }
}

function cwdOf(process: ModelProcess): string | null {
  try {
    return process.getcwd();
  } catch (error) {
    if (error instanceof KernelError) return null;
    throw error;
  }
}

function inChild(parent: ModelProcess, run: (child: ModelProcess) => void): void {
  const child = parent.fork();
  run(child);
  endChild(parent, child);
}

function replayOne(replay: Replay, recorder: ModelProcess, name: string, jid: number, at = '/') {
  inChild(recorder, (child) => {
    child.chdir(at);
    replay.check(
      name,
      () => attemptDone(() => child.jailAttach(jid)),
      (row) => tell(child, row, replay.numbers),
    );
  });
}

function replayNumbers(replay: Replay, recorder: ModelProcess): void {
  const numbers = { good: 1, '0': 0, '-1': -1, '9999': 9999, INT_MAX, INT_MIN: -INT_MAX - 1 };
  for (const name of ['good', '0', '-1', '9999', 'INT_MAX', 'INT_MIN'] as const) {
    replayOne(replay, recorder, name, numbers[name]);
  }
  replayOne(replay, recorder, 'good, cwd=/tmp', 1, '/tmp');
}

function replayUsers(replay: Replay, recorder: ModelProcess): void {
  const calls: [string, (process: ModelProcess) => void, (process: ModelProcess) => Outcome][] = [
    ['uid1001 good', (p) => p.setuid(1001), attach(1)],
    ['uid1001 bad', (p) => p.setuid(1001), attach(9999)],
    ['uid1001 0', (p) => p.setuid(1001), attach(0)],
    ['uid1001 create', (p) => p.setuid(1001), create],
    ['uid1001 create bad ptr', (p) => p.setuid(1001), createAt(1n)],
    ['uid1001 create NULL', (p) => p.setuid(1001), createAt(0n)],
    ['euid1001 ruid0', (p) => p.seteuid(1001), attach(1)],
    ['euid1001 ruid0 create', (p) => p.seteuid(1001), create],
    ['euid0 ruid1001', (p) => p.setresuid(1001, 0, 0), attach(1)],
    ['uid0 gid1001', (p) => p.setgid(1001), attach(1)],
  ];
  for (const [name, become, call] of calls) {
    inChild(recorder, (child) => {
      become(child);
      replay.check(name, () => call(child));
    });
  }
}

function attach(jid: number) {
  return (process: ModelProcess) => attemptDone(() => process.jailAttach(jid));
}

function create(process: ModelProcess): Outcome {
  return attempt(() => jailBy(process, 'x'));
}

function createAt(pointer: bigint) {
  return (process: ModelProcess) => attempt(() => process.jail(pointer));
}

function replayFromInside(replay: Replay, recorder: ModelProcess): void {
  inChild(recorder, (child) => {
    replay.check('first', () => attach(1)(child));
    for (const [name, jid] of [
      ['same', 1],
      ['other', 2],
      ['9999', 9999],
      ['0', 0],
      ['-1', -1],
    ] as const) {
      replay.check(`inside: attach ${name}`, () => attach(jid)(child));
    }
    replay.check('inside: jail() again', () => create(child));
    replay.check('inside: jail(NULL)', () => createAt(0n)(child));
    replay.check('inside: jail v99', () =>
      createAt(child.mapMemory(new Uint8Array(40).fill(99)))(child),
    );
    child.setuid(1001);
    replay.check('inside uid1001: jail()', () => create(child));
    replay.check('inside uid1001: attach same', () => attach(1)(child));
  });
}

const SWITCH = 'kern.chroot_allow_open_directories';

function replayDirectories(replay: Replay, recorder: ModelProcess, second: number): void {
  const original = decodeInt(recorder.sysctl(SWITCH).bytes);
  replay.check(
    SWITCH,
    () => attemptDone(() => recorder.sysctl(SWITCH)),
    (row) => assert.equal(original, row.value),
  );
  for (const value of [0, 1, 2]) {
    recorder.sysctl(SWITCH, { value: encodeInt(value) });
    inChild(recorder, (child) => replayEscape(replay, child, value, second));
    inChild(recorder, (child) => {
      child.open('/');
      const name = `allow_open_directories=${value}, open dir fd, jail()`;
      replay.check(
        name,
        () => create(child),
        (row) => replay.listAgrees(row, child),
      );
    });
  }
  recorder.sysctl(SWITCH, { value: encodeInt(original) });
}

function replayEscape(replay: Replay, child: ModelProcess, value: number, second: number): void {
  const directory = child.open('/');
  const section = `allow_open_directories=${value}, open dir fd, attach`;
  const nothing = () => {};
  replay.check(section, () => attach(second)(child), nothing, { section });
  const checks: [string, () => unknown, (row: Row) => void][] = [
    ['then fchdir(dirfd)', () => child.fchdir(directory), nothing],
    [
      'stat("bin/sh") relative',
      () => child.stat('bin/sh'),
      (row) => assert.equal(cwdOf(child), row.getcwd, row.case),
    ],
    ['stat("../../../bin/sh")', () => child.stat('../../../bin/sh'), nothing],
    ['openat(dirfd,"bin/sh")', () => child.openAt(directory, 'bin/sh'), nothing],
  ];
  for (const [name, call, more] of checks) {
    replay.check(`...${name}`, () => attemptDone(call), more, { section });
  }
}

function replayFailures(replay: Replay, recorder: ModelProcess, first: ModelProcess): void {
  inChild(recorder, (child) =>
    replay.check('before failures', () => attempt(() => jailBy(child, 'att2'))),
  );
  for (const [failure, path, next] of [
    ['path is file', '/tmp/file', 'next ok after ENOTDIR failure'],
    ['path missing', '/tmp/none', 'next ok after ENOENT failure'],
  ] as const) {
    inChild(recorder, (child) =>
      replay.check(`fail: ${failure}`, () => attempt(() => jailBy(child, 'x', path))),
    );
    inChild(recorder, (child) =>
      replay.check(
        next,
        () => attempt(() => jailBy(child, 'att2')),
        (row) => {
          if (row.list_hex !== undefined) replay.listAgrees(row, recorder);
        },
      ),
    );
  }
  endChild(recorder, first);
  replayOne(replay, recorder, 'attach to dead jail', 1);
}
