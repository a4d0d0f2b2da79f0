import assert from 'node:assert/strict';
import { JailError } from '#internal/errors.js';
import { encodeMessage, type Message, MessageSplitter } from '#internal/monitor/protocol.js';
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
    const said = input.subarray(1);
    let at = 0;
    const inbox = Buffer.alloc(input.length);
    const splitter = new MessageSplitter(inbox, (message) => {
      at += check(said.subarray(at), message);
    });
    try {
      for (let from = 0; from < said.length; from += piece) {
        const bytes = said.subarray(from, from + piece);
        inbox.set(bytes);
        splitter.push(bytes.length);
      }
    } catch (error) {
      assert.ok(error instanceof JailError && error.code === 'ERR_JAIL_PROTOCOL', String(error));
    }
  },
};

// What is understood is written as it was: no byte of it had two meanings. Returns how long the frame was.
function check(said: Uint8Array, { name, id, body }: Message): number {
  const bytes = Buffer.from(said);
  const frame = bytes.subarray(0, bytes.readUInt32LE(0) + 4);
  const again = encodeMessage(name, id, body);
  const isText = Buffer.from(frame.toString('utf8')).equals(frame);
  if (isText) assert.deepEqual(again, frame);
  return frame.length;
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
