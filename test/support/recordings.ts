import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import {
  KernelError,
  type ModelKernel,
  type ModelProcess,
} from '#internal/backends/model/index.js';
import { mapJail } from '#internal/backends/model/jail-image.js';

/** One case of the recordings; which of the fields it has depends on the call. */
export interface Row {
  readonly group: string;
  readonly case: string;
  readonly call: string;
  readonly ret: number;
  readonly err: string;
  readonly errno: number;
  readonly boot: string;
  readonly list_err?: string;
  readonly list_len?: number;
  readonly list_hex?: string;
  readonly [field: string]: unknown;
}

const FOLDER = new URL('../../../test/fixtures/recordings/', import.meta.url);

/** A file of the recordings. */
export function recordedFile(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

const rows: readonly Row[] = recordedFile('dragonfly-5.9.jsonl')
  .split('\n')
  .filter((line) => line !== '')
  .map((line): Row => JSON.parse(line));

/** All cases. */
export function allRows(): readonly Row[] {
  return rows;
}

/** The cases of a group, and of one boot of the kernel where there were several. */
export function rowsOf(group: string, boot?: string): readonly Row[] {
  return rows.filter((row) => row.group === group && (boot === undefined || row.boot === boot));
}

/** What became of a call. */
export interface Outcome {
  readonly ret: number;
  readonly err: string;
}

/** Makes a call of the model: what it returned, or -1 and the error. */
export function attempt(call: () => unknown): Outcome {
  try {
    const ret = call();
    return { ret: typeof ret === 'number' ? ret : 0, err: '0' };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { ret: -1, err: error.code };
  }
}

/** As kill(2) and its kind return it: 0 however much was done. */
export function attemptDone(call: () => unknown): Outcome {
  return attempt(() => {
    call();
  });
}

/** The call did what was recorded, number for number. */
export function agrees(row: Row, outcome: Outcome): void {
  assert.deepEqual(outcome, { ret: row.ret, err: row.err }, `${row.group}: ${row.case}`);
  if (row.err !== '0') assert.equal(layout59.errno[row.err], row.errno, row.case);
}

/** `jail.list` holds what was recorded, byte for byte. */
export function listAgrees(row: Row, viewer: ModelProcess): void {
  const { bytes, err } = readList(viewer);
  const where = `${row.group}: ${row.case}`;
  assert.equal(err, row.list_err, where);
  assert.equal(bytes.length, row.list_len, where);
  // `list` has a character for each byte; the hex is the same, and cut.
  assert.equal(Buffer.from(bytes).toString('latin1'), row.list, where);
  const hex = row.list_hex ?? '';
  assert.ok(Buffer.from(bytes).toString('hex').startsWith(hex), where);
  assert.ok(hex.length >= Math.min(2 * bytes.length, 800), where);
}

function readList(viewer: ModelProcess): { bytes: Uint8Array; err: string } {
  try {
    return { bytes: viewer.sysctl('jail.list').bytes, err: '0' };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { bytes: new Uint8Array(0), err: error.code };
  }
}

/** Makes a jail with the package's own packing. `addresses` are in the kernel's order of arguments. */
export function jailBy(
  process: ModelProcess,
  hostname: string,
  path = '/jail',
  addresses: readonly string[] = [],
): number {
  const spec = { path, hostname, addresses: [...addresses].reverse() };
  return process.jail(mapJail(process, spec, layout59));
}

/** Ends a child and reaps it. */
export function endChild(parent: ModelProcess, child: ModelProcess): void {
  if (!child.hasEnded) child.exit(0);
  parent.wait(child.pid);
}

/** The recorder, as it was on that kernel: pid 3, a child of pid 2. */
export function bootRecorder(kernel: ModelKernel): ModelProcess {
  const shell = kernel.boot('rec');
  assert.equal(shell.pid, 2);
  const recorder = shell.fork();
  recorder.entry.args = ['/bin/rec', 'kinfo'];
  return recorder;
}

/** The files that the recorder had around it: a read-only root, and a tmpfs on /tmp. */
export function furnish(recorder: ModelProcess): void {
  for (const path of ['/jail', '/tmp', '/bin']) recorder.create(path, 'directory');
  recorder.create('/bin/sh', 'file');
  recorder.mount('tmpfs', '/tmp');
  for (const path of ['/tmp/d', '/tmp/d/sub', '/tmp/a b c', '/tmp/n\nl', '/tmp/été']) {
    recorder.create(path, 'directory');
  }
  recorder.create('/tmp/fifo', 'fifo');
  recorder.create('/tmp/file', 'file');
  recorder.symlink('/tmp/d', '/tmp/ln');
  recorder.symlink('/tmp/nowhere', '/tmp/dangling');
  recorder.symlink('/tmp/loop', '/tmp/loop');
}

/** The inode number of the recorder's root directory. */
export const ROOT_INODE = 36_864;
