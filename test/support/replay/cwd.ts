import assert from 'node:assert/strict';
import { KernelError, type ModelProcess } from '#internal/backends/model/index.js';
import { attempt, attemptDone, endChild, jailBy } from '../recordings.js';
import { furnished } from './lists.js';
import type { Replay, Sections } from './replay.js';

const ENTRY = /^cwd=(\S+) (jail|jail_attach)\((\S+)\)$/;

/** A case that begins with blanks is about the entry above it. */
export const entries: Sections = {
  opens: (row) => ENTRY.test(row.case),
  within: (row) => row.case.startsWith('  '),
};

/** The group `cwd`: what a working directory outside of the jail still leads to. */
export function replayCwd(replay: Replay): void {
  const { recorder } = furnished();
  for (const path of ['/', '/tmp', '/tmp/d', '/jail']) {
    replayStat(replay, recorder, `host ${path}`, path, '');
  }
  for (const row of replay.left) if (ENTRY.test(row.case)) replayEntry(replay, recorder, row.case);
}

function replayEntry(replay: Replay, recorder: ModelProcess, name: string): void {
  const [, cwd = '', call, root = ''] = ENTRY.exec(name) ?? assert.fail(name);
  // Who attaches needs a jail, and a jail a process.
  const holder = call === 'jail_attach' ? recorder.fork() : null;
  const jid = holder === null ? 0 : jailBy(holder, 'cwd', root);
  const child = recorder.fork();
  child.chdir(cwd);
  replay.check(
    name,
    () =>
      call === 'jail'
        ? attempt(() => jailBy(child, 'cwd', root))
        : attemptDone(() => child.jailAttach(jid)),
    (row) => assert.deepEqual(cwdOf(child), { cwd: row.getcwd, err: row.getcwd_err }, row.case),
    { section: name },
  );
  replayLooks(replay, child, name);
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

const LOOKS = [
  '.',
  '/',
  '..',
  '../..',
  'bin/sh',
  './bin/sh',
  'tmp/file',
  'file',
  'd',
  'sub',
  '/sub',
  '../file',
  '/..',
  '/../bin/sh',
];

function replayLooks(replay: Replay, child: ModelProcess, section: string): void {
  for (const path of LOOKS) replayStat(replay, child, `  ${path}`, path, section);
  for (const path of ['bin/sh', '..']) replayOpen(replay, child, path, section);
  replay.check(
    '  fchdir(..)',
    () => attemptDone(() => child.fchdir(child.open('..'))),
    () => {},
    { section },
  );
  replayCwdOf(replay, child, '  getcwd', section);
  child.chdir('/');
  replayCwdOf(replay, child, '  chdir / then getcwd', section);
}

function replayStat(
  replay: Replay,
  process: ModelProcess,
  name: string,
  path: string,
  section: string,
): void {
  replay.check(
    name,
    () => attemptDone(() => process.stat(path)),
    (row) => {
      if (row.err !== '0') return;
      const { inode, device } = process.stat(path);
      replay.numbers.same('file', `${row.dev} ${row.ino}`, `${device} ${inode}`, name);
      replay.numbers.same('file system', row.dev, device, name);
    },
    { section },
  );
}

function replayCwdOf(replay: Replay, child: ModelProcess, name: string, section: string): void {
  replay.check(
    name,
    () => attemptDone(() => child.getcwd()),
    (row) => assert.equal(cwdOf(child).cwd, row.cwd, row.case),
    { section },
  );
}

function replayOpen(replay: Replay, child: ModelProcess, path: string, section: string): void {
  const open = () => child.close(child.open(path));
  replay.check(
    `  open ${path}`,
    () => attemptDone(open),
    () => {},
    { section },
  );
}
