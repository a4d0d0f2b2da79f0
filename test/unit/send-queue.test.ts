import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SendQueue } from '#internal/monitor/send-queue.js';
import type { Native } from '#internal/native.js';

const FD = 99;

// A kernel whose buffer has room for so many bytes; what is written through the socket makes none.
class FakeKernel {
  room = Number.POSITIVE_INFINITY;
  failure: string | null = null;
  readonly log: string[] = [];
  readonly open = new Set<number>();
  readonly #unwritten: (() => void)[] = [];

  readonly native = {
    send: (fd: number, bytes: Uint8Array, whole: number, fds: readonly number[]) => {
      assert.equal(fd, FD);
      if (this.failure !== null) throw Object.assign(new Error(), { code: this.failure });
      const size = Math.min(this.room, whole);
      this.room -= size;
      if (size > 0) this.log.push(`${Buffer.from(bytes.subarray(0, size))}[${fds}]`);
      return size;
    },
    duplicate: (fd: number) => {
      this.open.add(fd + 1000);
      return fd + 1000;
    },
    close: (fd: number) => assert(this.open.delete(fd), `${fd} is closed once`),
  } as unknown as Native;

  readonly socket = Object.assign(Object.create(Socket.prototype), {
    write: (bytes: Uint8Array, written: () => void) => {
      this.log.push(`${Buffer.from(bytes)} by the socket`);
      this.#unwritten.push(written);
    },
  }) as Socket;

  drain(): void {
    this.room = Number.POSITIVE_INFINITY;
    for (const written of this.#unwritten.splice(0)) written();
  }
}

describe('messages to a monitor', () => {
  let kernel: FakeKernel;
  let queue: SendQueue;
  let taken: string[];

  beforeEach(() => {
    kernel = new FakeKernel();
    queue = new SendQueue(kernel.native, FD, kernel.socket);
    taken = [];
  });

  function send(text: string, fds: number[] = []): void {
    const bytes = Buffer.from(`${text} and what was there before`);
    const note = (error: Error | null) => taken.push(error ? `${text}: ${error.message}` : text);
    queue.send(bytes, text.length, { passed: fds, taken: note });
    bytes.fill('?');
  }

  it('are sent at once while there is room', () => {
    send('one', [5, 6]);
    assert.deepEqual([kernel.log, taken], [['one[5,6]'], ['one']]);
  });

  it('keep their order when the kernel has no room', () => {
    kernel.room = 2;
    send('one', [5]);
    send('two', [6]);
    send('three');
    assert.deepEqual(kernel.log, ['on[5]', 'e by the socket']);
    assert.deepEqual([...kernel.open], [1006], 'a waiting message has descriptors of its own');
    kernel.drain();
    assert.deepEqual(kernel.log.slice(2), ['two[1006]', 'three[]']);
    assert.deepEqual(taken, ['one', 'two', 'three']);
    assert.equal(kernel.open.size, 0);
  });

  it('are tried again when not even the first byte was taken', async () => {
    kernel.room = 0;
    send('one', [5]);
    send('two');
    assert.deepEqual(taken, []);
    kernel.room = 100;
    await sleep(30);
    assert.deepEqual(kernel.log, ['one[1005]', 'two[]']);
    assert.equal(kernel.open.size, 0);
  });

  it('wait while too many descriptors are on their way', async () => {
    kernel.failure = 'ETOOMANYREFS';
    send('one', [5]);
    kernel.failure = null;
    await sleep(30);
    assert.deepEqual([kernel.log, taken], [['one[1005]'], ['one']]);
  });

  it('fail alone when they cannot be sent', () => {
    kernel.failure = 'EBADF';
    send('one', [77]);
    kernel.failure = null;
    send('two');
    assert.deepEqual(taken, ['one: ', 'two']);
  });

  it('are given up when the connection ends, and nothing stays open', async () => {
    kernel.room = 0;
    send('one', [5]);
    send('two', [6]);
    queue.end(() => new Error('lost'));
    send('three', [7]);
    kernel.room = 100;
    await sleep(30);
    assert.deepEqual(taken, ['one: lost', 'two: lost', 'three: lost']);
    assert.deepEqual([kernel.log, kernel.open.size], [[], 0]);
  });
});
