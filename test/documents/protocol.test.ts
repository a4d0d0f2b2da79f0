import assert from 'node:assert/strict';
import { encodeMessage, type Messages, messageNames } from '#internal/monitor/protocol.js';
import { read } from '../support/documents/blocks.js';

const DOCUMENT = read('docs/monitor-protocol.md');
const HEADER = 12; // length, type, zero, id

// One of each, no two fields of the same value.
const limits = [{ resource: 31, soft: 32n, hard: 33n }];
const BODIES: Messages = {
  hello: { version: 1, flags: 2 },
  create: {
    stateDir: '/run/x',
    path: '/jails/www',
    hostname: 'www.test',
    name: 'www',
    addresses: ['10.0.0.7', 'fd00::7'],
    scopeids: [3, 4],
    interface: 'em0',
    capabilities: 5,
    mounts: [{ type: 6, target: '/usr', source: '/host', flags: 7, options: 'size=8' }],
    limits,
    memory: 9n,
    processes: 10n,
    flags: 11,
  },
  attach: { stateDir: '/run/x', jid: 12 },
  spawn: {
    file: 'sh',
    argv: ['sh', '-c'],
    env: ['A=1'],
    cwd: '/tmp',
    userKind: 13,
    user: 'www',
    uid: 14,
    groupKind: 15,
    group: 'staff',
    gid: 16,
    limits,
    flags: 17,
    stdio: [18, 19],
    terminalType: 'xterm',
    groups: [20, 21],
  },
  signal: { command: 22, signal: 23 },
  stop: { signal: 24, graceMs: 25 },
  capabilities: { bits: 26 },
  welcome: { version: 27, monitorPid: 28 },
  ready: {
    jid: 29,
    anchorPid: 30,
    owned: 34,
    running: [{ command: 35, pid: 36, jailPid: 37, start: 38n, file: 'a', argv: ['b'] }],
  },
  failed: { errno: 39, code: 'c', syscall: 'd', step: 'e', path: 'f', detail: 'g' },
  spawned: { command: 40, pid: 41, jailPid: 42 },
  exited: { command: 43, status: 44, userTime: 45n, systemTime: 46n, maxRss: 47n, wallTime: 48n },
  done: {},
  stopped: {},
  gone: { reason: 'h' },
  steps: { steps: [{ step: 'i', time: 49n }] },
};

/** What the document calls by a name: `*mount*: u32 type (…), str target, …` */
function definitions(): Map<string, string> {
  const found = DOCUMENT.matchAll(/^\*(\w+)\*: (.*?)(?=^\*\w+\*: |^$)/gms);
  return new Map([...found].map(([, name = '', text = '']) => [name, text]));
}

const DEFINED = definitions();

/** The fields of a text, in order: `u32`, `u64`, `str`, `list<…>`, or a name. */
function fieldsOf(text: string): string[] {
  const plain = text
    .replaceAll('\n', ' ')
    .replace(/\([^)]*\)/g, '')
    .replace(/\. .*$/, '')
    .replace(/ ?–.*$/, '');
  return plain
    .split(/,|\+/)
    .map((field) => field.trim().replaceAll('*', '').split(' ')[0] ?? '')
    .filter((type) => type !== '' && type !== 'descriptors');
}

/** Reads a payload by the words of the document alone. */
class DocumentReader {
  #at = HEADER;
  readonly #frame: Buffer;

  constructor(frame: Buffer) {
    this.#frame = frame;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#frame.length;
  }

  read(type: string): unknown[] {
    const [, member] = /^list<(\w+)>$/.exec(type) ?? [];
    if (member !== undefined)
      return Array.from({ length: this.#u32() }, () => this.read(member)).flat();
    if (type === 'u32') return [this.#u32()];
    if (type === 'u64') return [this.#frame.readBigUInt64LE(this.#skip(8))];
    if (type === 'str') return [this.#str()];
    const text = DEFINED.get(type);
    assert(text !== undefined, `what is ${type}?`);
    return fieldsOf(text).flatMap((field) => this.read(field));
  }

  #u32(): number {
    return this.#frame.readUInt32LE(this.#skip(4));
  }

  #str(): string {
    const length = this.#u32();
    const start = this.#skip(length + 1);
    assert.equal(this.#frame[start + length], 0, 'a string ends with a NUL');
    return this.#frame.toString('utf8', start, start + length);
  }

  #skip(bytes: number): number {
    this.#at += bytes;
    return this.#at - bytes;
  }
}

// Fields are encoded in the order in which their types have them.
function valuesOf(body: unknown): unknown[] {
  if (Array.isArray(body)) return body.flatMap(valuesOf);
  if (typeof body === 'object' && body !== null) return Object.values(body).flatMap(valuesOf);
  return [body];
}

const ROWS = new Map(
  [...DOCUMENT.matchAll(/^\| (\d+) \| ([A-Z]+) \| ([^|]*) \|/gm)].map(
    ([, type, name = '', payload = '']) => [name.toLowerCase(), { type: Number(type), payload }],
  ),
);

describe('docs/monitor-protocol.md', () => {
  it('has the messages that there are, and no others', () => {
    assert.deepEqual([...ROWS.keys()].sort(), [...messageNames].sort());
  });

  for (const name of messageNames) {
    it(`says of ${name.toUpperCase()} what is on the wire`, () => {
      const row = ROWS.get(name);
      assert(row !== undefined);
      const frame = encodeMessage(name, 77, BODIES[name]);
      assert.deepEqual(
        [
          frame.readUInt32LE(0),
          frame.readUInt16LE(4),
          frame.readUInt16LE(6),
          frame.readUInt32LE(8),
        ],
        [frame.length - 4, row.type, 0, 77],
      );
      const reader = new DocumentReader(frame);
      const values = fieldsOf(row.payload).flatMap((field) => reader.read(field));
      assert.deepEqual(values, valuesOf(BODIES[name]));
      assert(reader.isAtEnd, 'the document leaves something out');
    });
  }

  it('numbers them as the monitor does', () => {
    const [, list = ''] =
      /enum class Type[^{]*\{(.*?)\}/s.exec(read('native/monitor/protocol.hh')) ?? [];
    const native = [...list.matchAll(/k(\w+) = (\d+)/g)].map(
      ([, name = '', type]) => [name.toLowerCase(), Number(type)] as const,
    );
    const documented = [...ROWS].map(([name, { type }]) => [name, type] as const);
    assert.deepEqual(new Map(native), new Map(documented));
  });
});
