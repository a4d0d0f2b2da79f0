import assert from 'node:assert/strict';
import { JailError } from 'dragonfly-jail';
import fc from 'fast-check';
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageName,
  MessageSplitter,
  type Messages,
  messageNames,
} from '#internal/monitor/protocol.js';
import { MAX_FRAME } from '#internal/monitor/wire.js';

// As object literals are, so that they compare as equal.
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const u32 = fc.nat({ max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const str = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
const strs = fc.array(str, { maxLength: 5 });
const numbers = fc.array(u32, { maxLength: 5 });
const limit = record({ resource: u32, soft: u64, hard: u64 });
const limits = fc.array(limit, { maxLength: 3 });
const mount = record({ type: u32, target: str, source: str, flags: u32, options: str });

const running = record({
  command: u32,
  pid: u32,
  jailPid: u32,
  start: u64,
  file: str,
  argv: strs,
});

const bodies: { [K in MessageName]: fc.Arbitrary<Messages[K]> } = {
  hello: record({ version: u32, flags: u32 }),
  create: record({
    stateDir: str,
    path: str,
    hostname: str,
    name: str,
    addresses: strs,
    scopeids: numbers,
    interface: str,
    capabilities: u32,
    mounts: fc.array(mount, { maxLength: 3 }),
    limits,
    memory: u64,
    processes: u64,
    flags: u32,
  }),
  attach: record({ stateDir: str, jid: u32 }),
  spawn: record({
    file: str,
    argv: strs,
    env: strs,
    cwd: str,
    userKind: u32,
    user: str,
    uid: u32,
    groupKind: u32,
    group: str,
    gid: u32,
    limits,
    flags: u32,
    stdio: numbers,
    terminalType: str,
    groups: numbers,
  }),
  signal: record({ command: u32, signal: u32 }),
  stop: record({ signal: u32, graceMs: u32 }),
  capabilities: record({ bits: u32 }),
  welcome: record({ version: u32, monitorPid: u32 }),
  ready: record({
    jid: u32,
    anchorPid: u32,
    owned: u32,
    running: fc.array(running, { maxLength: 3 }),
  }),
  failed: record({ errno: u32, code: str, syscall: str, step: str, path: str, detail: str }),
  spawned: record({ command: u32, pid: u32, jailPid: u32 }),
  exited: record({
    command: u32,
    status: u32,
    userTime: u64,
    systemTime: u64,
    maxRss: u64,
    wallTime: u64,
  }),
  done: fc.constant({}),
  stopped: fc.constant({}),
  gone: record({ reason: str }),
  steps: record({ steps: fc.array(record({ step: str, time: u64 }), { maxLength: 3 }) }),
};

const messages: fc.Arbitrary<Message> = fc.oneof(
  ...messageNames.map((name) =>
    record({ name: fc.constant(name), id: u32, body: bodies[name] as fc.Arbitrary<object> }),
  ),
) as fc.Arbitrary<Message>;

function encode(message: Message): Buffer {
  return encodeMessage(message.name, message.id, message.body);
}

function payload(frame: Buffer): Buffer {
  return frame.subarray(4);
}

// The only thing that a decoder may throw.
function assertRefused(call: () => unknown): void {
  assert.throws(call, (error) => error instanceof JailError && error.code === 'ERR_JAIL_PROTOCOL');
}

function neverFailsOtherwise(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    assert(error instanceof JailError && error.code === 'ERR_JAIL_PROTOCOL', String(error));
  }
}

describe('the monitor protocol', () => {
  for (const name of messageNames) {
    it(`gives back every ${name.toUpperCase()} as it was sent`, () => {
      fc.assert(
        fc.property(u32, bodies[name] as fc.Arbitrary<Messages[typeof name]>, (id, body) => {
          const frame = encodeMessage(name, id, body);
          assert.equal(frame.readUInt32LE(0), frame.length - 4);
          assert.deepEqual(decodeMessage(payload(frame)), { name, id, body });
        }),
      );
    });
  }

  it('writes what its document says', () => {
    const frame = encodeMessage('signal', 7, { command: 3, signal: 0x8000000f });
    assert.equal(
      frame.toString('hex'),
      '10000000' + '05000000' + '07000000' + '03000000' + '0f000080',
    );
    const gone = encodeMessage('gone', 0, { reason: 'ü' });
    assert.equal(
      gone.toString('hex'),
      '0f000000' + '6c000000' + '00000000' + '02000000' + 'c3bc00',
    );
  });

  it('carries numbers of 64 bits whole', () => {
    const sent = { command: 1, status: 0, userTime: 2n ** 64n - 1n, systemTime: 0n };
    const body = { ...sent, maxRss: 2n ** 53n + 1n, wallTime: 1n };
    const { body: received } = decodeMessage(payload(encodeMessage('exited', 0, body)));
    assert.deepEqual(received, body);
  });

  it('refuses any bytes that are no message, and with one error only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        neverFailsOtherwise(() => decodeMessage(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('survives any change to a message', () => {
    const change = record({ at: fc.nat(), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(
        messages,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (message, changes) => {
          const bytes = Buffer.from(payload(encode(message)));
          for (const { at, value } of changes) bytes[at % bytes.length] = value;
          neverFailsOtherwise(() => decodeMessage(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses a message that is cut short or too long', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, cut) => {
        const bytes = payload(encode(message));
        assertRefused(() => decodeMessage(bytes.subarray(0, cut % bytes.length)));
        assertRefused(() => decodeMessage(Buffer.concat([bytes, Buffer.from([0])])));
      }),
    );
  });

  it('refuses a string with a NUL inside', () => {
    const bytes = Buffer.from(payload(encodeMessage('gone', 0, { reason: 'abc' })));
    bytes[13] = 0;
    assertRefused(() => decodeMessage(bytes));
  });

  it('allocates nothing for a count that cannot be met', () => {
    const bytes = Buffer.from(
      payload(encodeMessage('ready', 1, { jid: 1, anchorPid: 2, owned: 1, running: [] })),
    );
    bytes.writeUInt32LE(0xffffffff, bytes.length - 4);
    assertRefused(() => decodeMessage(bytes));
  });

  it('refuses to send more than a frame can hold', () => {
    const reason = 'x'.repeat(MAX_FRAME);
    assertRefused(() => encodeMessage('gone', 0, { reason }));
    const fits = 'x'.repeat(MAX_FRAME - 8 - 5);
    assert.equal(payload(encodeMessage('gone', 0, { reason: fits })).length, MAX_FRAME);
  });
});

describe('the stream of a monitor', () => {
  it('is cut into the messages that were sent, wherever its pieces end', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 6 }), sizes, (sent, pieceSizes) => {
        const bytes = Buffer.concat(sent.map(encode));
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = pieceSizes[i % pieceSizes.length] ?? 1;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(split(pieces), sent);
      }),
    );
  });

  it('ends at a length that no frame has', () => {
    for (const length of [0, 7, MAX_FRAME + 1, 0xffffffff]) {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32LE(length, 0);
      assertRefused(() => split([bytes]));
    }
  });

  it('gives what was whole before it breaks', () => {
    const broken = Buffer.alloc(16, 0xff);
    const received: Message[] = [];
    const good = { name: 'done', id: 3, body: {} } as const;
    assertRefused(() => split([Buffer.concat([encode(good), broken])], received));
    assert.deepEqual(received, [good]);
  });

  it('takes any bytes without another error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
        neverFailsOtherwise(() => split(pieces));
      }),
    );
  });
});

// All pieces come in at the same place, one over the other.
function split(pieces: readonly Uint8Array[], received: Message[] = []): Message[] {
  const inbox = Buffer.alloc(64 * 1024);
  const splitter = new MessageSplitter(inbox, (message) => received.push(message));
  for (const piece of pieces) {
    inbox.set(piece);
    splitter.push(piece.length);
    inbox.fill('?');
  }
  return received;
}
