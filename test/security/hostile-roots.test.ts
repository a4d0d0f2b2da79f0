import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inspectRoot } from 'dragonfly-jail/rootfs';
import { makeElf } from '../support/elf.js';

// A root is looked at while its jail runs, and its root makes of it what it likes: nothing of that may hold up the
// program that looks.

const NAMES = 1000;
// What a busy machine needs for something harmless is less; before there was a bound, it was twenty seconds.
const LONGEST_MS = 1500;
const PATIENCE_MS = 60_000;

describe('looking at a root that is made to be slow', function () {
  this.timeout(PATIENCE_MS);
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'dfjail-slow-'));
    for (const name of ['bin', 'etc', 'lib']) mkdirSync(join(root, name));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('does not wait for a thousand libraries in a thousand directories', async () => {
    const needed = numbered(NAMES, (n) => `lib${n}.so`);
    const rpath = numbered(NAMES, (n) => `/${n.toString(36)}`).join(':');
    const runpath = rpath.slice(0, 4000);
    program('slow', makeElf({ needed, runpath }));
    const found = await look();
    assert.equal(found.kind, 'service');
    assert.match(found.problems.join(), /\/bin\/slow needs more, or looks for it in more places/);
  });

  it('does not wait for directories that are there, nor for the same ones again', async () => {
    const folders = numbered(60, (n) => `/lib/${n}`);
    for (const folder of folders) mkdirSync(join(root, folder));
    const runpath = Array.from({ length: 8 }, () => folders.join(':')).join(':');
    program('slow', makeElf({ needed: numbered(NAMES, (n) => `lib${n}.so`), runpath }));
    await look();
  });

  it('does not wait for many such programs', async () => {
    const needed = numbered(NAMES, (n) => `lib${n}.so`);
    const elf = makeElf({ needed, runpath: numbered(500, (n) => `/${n}`).join(':') });
    for (let n = 0; n < 200; n++) program(`slow-${n}`, elf);
    const start = performance.now();
    const { problems } = await look();
    assert(performance.now() - start < PATIENCE_MS / 2);
    assert.match(problems.join(), /not all of it was looked at|needs more/);
  });

  it('does not wait for directories within directories, links in a circle, and paths without end', async () => {
    const deep = join(root, ...Array.from({ length: 300 }, () => 'd'));
    mkdirSync(deep, { recursive: true });
    for (let n = 0; n < 200; n++)
      writeFileSync(join(deep, `f${n}`), '#!/bin/sh\n', { mode: 0o755 });
    symlinkSync('x/'.repeat(1000), join(root, 'bin', 'sh'));
    symlinkSync(`../${'bin/../'.repeat(500)}`, join(root, 'x'));
    await look();
  });

  it('does not wait for a cache of libraries whose names are all one long text', async () => {
    program('any', makeElf({ needed: ['libc.so.6'], interpreter: '/lib/ld-linux.so.2' }));
    writeFileSync(join(root, 'lib', 'ld-linux.so.2'), makeElf({}), { mode: 0o755 });
    writeFileSync(join(root, 'etc', 'ld.so.cache'), longCache());
    const { problems } = await look();
    assert.match(problems.join(), /ld\.so\.cache/);
  });

  function program(name: string, content: Uint8Array): void {
    writeFileSync(join(root, 'bin', name), content, { mode: 0o755 });
  }

  async function look(): ReturnType<typeof inspectRoot> {
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const found = await inspectRoot(root);
    await new Promise((done) => setTimeout(done, 50));
    delay.disable();
    const longest = delay.max / 1e6;
    console.log(`      the event loop stood still for ${Math.round(longest)} ms at most`);
    assert(longest < LONGEST_MS, `${longest} ms`);
    return found;
  }
});

function numbered<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

// 60,000 entries, and every name of each is the same text of two megabytes.
function longCache(): Buffer {
  const count = 60_000;
  const head = Buffer.alloc(48 + count * 24);
  head.write('glibc-ld.so.cache1.1');
  head.writeUInt32LE(count, 20);
  for (let n = 0; n < count; n++) {
    head.writeUInt32LE(head.length, 48 + n * 24 + 4);
    head.writeUInt32LE(head.length, 48 + n * 24 + 8);
  }
  return Buffer.concat([head, Buffer.alloc(2 << 20, 'a'), Buffer.from([0])]);
}
