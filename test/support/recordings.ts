import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
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

/** All that are kept: `dragonfly-5.9.jsonl` and what was recorded later. */
const FILES = readdirSync(FOLDER).filter((name) => /^dragonfly-.*\.jsonl$/.test(name));

const rows: readonly Row[] = FILES.flatMap((name) => parseRows(recordedFile(name)));

/** The cases of a recording: one a line. */
export function parseRows(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Row => JSON.parse(line));
}

/** All cases that are kept here. */
export function allRows(): readonly Row[] {
  return rows;
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
