import assert from 'node:assert/strict';
import {
  decodeProcesses,
  isKernelThread,
  type KernelProcess,
  processInfo,
} from '#internal/backends/dragonfly/kinfo.js';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { decodeStrings, decodeWholeText } from '#internal/backends/dragonfly/sysctl-value.js';
import { ModelKernel } from '#internal/backends/model/index.js';
import { JailError } from '#internal/errors.js';
import { bootRecorder } from '../../support/recordings.js';
import type { Target } from '../target.js';

const KERN_PROC_ALL = [1, 14, 0];
const { size, fields } = layout59.structs.kinfoProc;

/** `kern.proc` and the arguments beside it: records, or the error that says that kernel and headers differ. */
export const kinfoProc: Target = {
  name: 'kinfo-proc',
  seeds: () => {
    const recorder = bootRecorder(new ModelKernel());
    return [recorder.sysctlMib(KERN_PROC_ALL).bytes, new Uint8Array(0), new Uint8Array(size)];
  },
  words: [
    new Uint8Array(size),
    new Uint8Array(size).fill(0xff),
    new Uint8Array(fields.kp_comm[1]).fill(0x41),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xc3, 0xa9),
    Uint8Array.of(1, 0, 0, 0),
    Uint8Array.of(4, 0, 0, 0),
    '\0',
  ],
  maxLength: 6 * size,
  run(input) {
    // Most lengths are no multiple of the size: both the bytes as they are, and as many as are whole.
    checkAnswer(input);
    checkAnswer(input.subarray(0, input.length - (input.length % size)));
    const args = decodeStrings(input);
    for (const text of [...args, decodeWholeText(input)]) assert.equal(typeof text, 'string');
    for (const text of args) assert.ok(!text.includes('\0'));
  },
};

function checkAnswer(bytes: Uint8Array): void {
  const processes = processesOf(bytes);
  if (processes === null) {
    assert.notEqual(bytes.length % size, 0);
    return;
  }
  assert.equal(processes.length * size, bytes.length);
  for (const process of processes) check(process);
}

function processesOf(bytes: Uint8Array): KernelProcess[] | null {
  try {
    return decodeProcesses(bytes, layout59);
  } catch (error) {
    assert.ok(error instanceof JailError && error.code === 'ERR_JAIL_PROTOCOL', String(error));
    return null;
  }
}

function check(process: KernelProcess): void {
  for (const [name, value] of Object.entries(process)) {
    if (typeof value === 'number') assert.ok(Number.isFinite(value), name);
    if (typeof value === 'string') assert.ok(!value.includes('\0'), name);
  }
  assert.ok(process.command.length <= fields.kp_comm[1]);
  assert.equal(isKernelThread(process), process.pid <= 0);
  const info = processInfo(process, ['sh']);
  assert.ok(info.startTime instanceof Date);
  assert.ok(info.tty === null || /^\d+,\d+$/.test(info.tty), String(info.tty));
}
