import assert from 'node:assert/strict';
import { JailError } from '#internal/errors.js';
import { decodeMessage, encodeMessage, FrameSplitter } from '#internal/monitor/protocol.js';
import type { Target } from '../target.js';

/** What a monitor says, the first byte the size of the pieces it arrives in (0: all at once): messages, or a typed error. */
export const monitorAnswers: Target = {
  name: 'monitor-answers',
  seeds: () => [Buffer.concat([Buffer.of(0), ...samples()]), ...samples().map(inPieces)],
  words: [
    '\0',
    Buffer.alloc(4),
    Buffer.alloc(8),
    Buffer.of(1, 0, 0, 0),
    'ERR_JAIL_LIMIT',
    ...samples(),
  ],
  maxLength: 4096,
  run(input) {
    const piece = input[0] || input.length;
    const splitter = new FrameSplitter();
    try {
      for (let at = 1; at < input.length; at += piece) {
        for (const frame of splitter.push(input.subarray(at, at + piece))) check(frame);
      }
    } catch (error) {
      assert.ok(error instanceof JailError && error.code === 'ERR_JAIL_PROTOCOL', String(error));
    }
  },
};

// What is understood is written as it was: no byte of it had two meanings.
function check(frame: Uint8Array): void {
  const { name, id, body } = decodeMessage(frame);
  const again = encodeMessage(name, id, body);
  const text = Buffer.from(frame).toString('utf8');
  if (Buffer.from(text).equals(Buffer.from(frame))) assert.deepEqual(again.subarray(4), frame);
}

function inPieces(frame: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(3), frame]);
}

function samples(): Buffer[] {
  const path = '/jails/www';
  const running = { command: 4, pid: 12, jailPid: 3, start: 77n, file: 'sh', argv: ['sh', '-c'] };
  const usage = { userTime: 5n, systemTime: 6n, maxRss: 7n, wallTime: 8n };
  const failed = { errno: 2, code: '', syscall: 'mount', step: 'mount', path, detail: '' };
  return [
    encodeMessage('welcome', 1, { version: 1, monitorPid: 77 }),
    encodeMessage('ready', 2, { jid: 7, anchorPid: 9, owned: 1, running: [running] }),
    encodeMessage('failed', 3, failed),
    encodeMessage('spawned', 4, { command: 4, pid: 12, jailPid: 3 }),
    encodeMessage('exited', 0, { command: 4, status: 0, ...usage }),
    encodeMessage('steps', 5, { steps: [{ step: 'mount', time: 12n }] }),
    encodeMessage('gone', 0, { reason: 'killed' }),
    encodeMessage('stopped', 6, {}),
  ];
}
