import assert from 'node:assert/strict';
import { KernelError, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy, type Row } from '../recordings.js';
import { furnished } from './lists.js';
import { Replay } from './replay.js';

/** The group `cwd`: what a working directory outside of the jail still leads to. */
export function replayCwd(): Replay {
  const replay = new Replay('cwd');
  const { recorder } = furnished();
  const numbers = new Numbers();
  for (const path of ['/', '/tmp', '/tmp/d', '/jail']) {
    replayStat(replay, recorder, `host ${path}`, path, numbers);
  }
  for (let row = replay.peek(); row !== null; row = replay.peek()) {
    replayEntry(replay, recorder, row, numbers);
  }
  return replay;
}

/** The recorder's files had other numbers, and its file systems too: the same ones where ours are the same. */
class Numbers {
  readonly #recorded = new Map<string, string>();
  readonly #ours = new Map<string, string>();

  /** Takes the first sight of a file for its number, on both sides, and wants that ever after. */
  same(kind: 'file' | 'file system', recorded: unknown, ours: unknown, where: string): void {
    const theirKey = `${kind} ${recorded}`;
    const ourKey = `${kind} ${ours}`;
    assert.equal(this.#recorded.get(theirKey) ?? ourKey, ourKey, where);
    assert.equal(this.#ours.get(ourKey) ?? theirKey, theirKey, where);
    this.#recorded.set(theirKey, ourKey);
    this.#ours.set(ourKey, theirKey);
  }
}

const ENTRY = /^cwd=(\S+) (jail|jail_attach)\((\S+)\)$/;

function replayEntry(replay: Replay, recorder: ModelProcess, row: Row, numbers: Numbers): void {
  const [, cwd = '', call, root = ''] = ENTRY.exec(row.case) ?? assert.fail(row.case);
  // Who attaches needs a jail, and a jail a process.
  const holder = call === 'jail_attach' ? recorder.fork() : null;
  const jid = holder === null ? 0 : jailBy(holder, 'cwd', root);
  const child = recorder.fork();
  child.chdir(cwd);
  replay.check(
    row.case,
    () =>
      call === 'jail'
        ? attempt(() => jailBy(child, 'cwd', root))
        : attemptDone(() => child.jailAttach(jid)),
    () => assert.deepEqual(cwdOf(child), { cwd: row.getcwd, err: row.getcwd_err }, row.case),
  );
  for (let next = replay.peek(); next?.case.startsWith('  '); next = replay.peek()) {
    replayLook(replay, child, next, numbers);
  }
  for (const process of [child, holder]) if (process !== null) endChild(recorder, process);
}

function cwdOf(process: ModelProcess): { cwd: string | null; err: string } {
  try {
    return { cwd: process.getcwd(), err: '0' };
  } catch (error) {
    if (error instanceof KernelError) return { cwd: null, err: error.code };
    throw error;
  }
}

function replayStat(
  replay: Replay,
  process: ModelProcess,
  name: string,
  path: string,
  numbers: Numbers,
): void {
  replay.check(
    name,
    () => attemptDone(() => process.stat(path)),
    (row) => {
      if (row.err !== '0') return;
      const { inode, device } = process.stat(path);
      numbers.same('file', `${row.dev} ${row.ino}`, `${device} ${inode}`, name);
      numbers.same('file system', row.dev, device, name);
    },
  );
}

function replayLook(replay: Replay, child: ModelProcess, row: Row, numbers: Numbers): void {
  const what = row.case.trim();
  if (row.call === 'stat') replayStat(replay, child, row.case, what, numbers);
  else if (row.call === 'open') replayOpen(replay, child, what);
  else if (row.call === 'fchdir') {
    replay.check(row.case, () => attemptDone(() => child.fchdir(child.open('..'))));
  } else {
    if (row.call === 'chdir') child.chdir('/');
    replayCwdOf(replay, child, row);
  }
}

function replayCwdOf(replay: Replay, child: ModelProcess, row: Row): void {
  replay.check(
    row.case,
    () => attemptDone(() => child.getcwd()),
    () => assert.equal(cwdOf(child).cwd, row.cwd, row.case),
  );
}

function replayOpen(replay: Replay, child: ModelProcess, what: string): void {
  const [, path = ''] = what.split(' ');
  replay.check(`  ${what}`, () =>
    attemptDone(() => {
      child.close(child.open(path));
    }),
  );
}
