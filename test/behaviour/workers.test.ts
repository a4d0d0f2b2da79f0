import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type JailSpec, listJails } from 'dragonfly-jail';
import { nextIPv4 } from '../support/addresses.js';
import { eventually, skipOnModel, within } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Snapshot } from '../support/leaks.js';
import { workerPrelude } from '../support/programs.js';

function startWorker(source: string, spec: JailSpec): Worker {
  const script = `${workerPrelude(spec)} (async () => { await loaded; ${source} })();`;
  return new Worker(script, { eval: true });
}

async function message<T>(worker: Worker): Promise<T> {
  const failed = once(worker, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  const [value] = await within(
    'a message of the worker',
    10_000,
    Promise.race([once(worker, 'message'), failed]),
  );
  return value;
}

function listed(jid: number): boolean {
  return listJails().some((jail) => jail.jid === jid);
}

describe('worker threads', () => {
  const jails = useJails();

  it('make, use and stop jails', async () => {
    const worker = startWorker(
      `const jail = await Jail.create(spec);
       const { stdout } = await jail.exec('cat', [], { input: 'from a worker' });
       await jail.stop();
       parentPort.postMessage(stdout);`,
      jails.spec({ addresses: [nextIPv4()] }),
    );
    const exit = once(worker, 'exit');
    assert.equal(await message(worker), 'from a worker');
    assert.deepEqual(await within('the end of the worker', 5000, exit), [0]);
  });

  it('work several at once, beside the main thread', async () => {
    const source = `
      const jail = await Jail.create(spec);
      const outputs = [];
      for (let i = 0; i < 10; i++) outputs.push((await jail.exec('echo', [String(i)])).stdout);
      await jail.stop();
      parentPort.postMessage(outputs.join(''));`;
    const workers = [1, 2, 3].map(() => startWorker(source, jails.spec()));
    const answers = Promise.all(workers.map((worker) => message<string>(worker)));
    const jail = await jails.create();
    assert.equal((await jail.exec('echo', ['main'])).stdout, 'main\n');
    const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${n}\n`).join('');
    assert.deepEqual(await answers, [digits, digits, digits]);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  for (const [ending, source] of [
    ['ends by itself', 'setTimeout(() => process.exit(0), 50);'],
    ['is terminated', ''],
    ['fails', "setTimeout(() => { throw new Error('on purpose'); }, 50);"],
  ] as const) {
    it(`take their jails along when one ${ending}`, async () => {
      const before = new Snapshot(jails.root.outside);
      const worker = startWorker(
        `const jail = await Jail.create(spec);
         const command = jail.spawn('sleep', ['1000']);
         await new Promise((done) => command.once('spawn', done));
         parentPort.postMessage(jail.jid); ${source}`,
        jails.spec({ addresses: [nextIPv4()] }),
      );
      const exit = new Promise((done) => worker.once('exit', done));
      worker.on('error', () => {});
      const jid = await message<number>(worker);
      if (source === '') await worker.terminate();
      await within('the end of the worker', 5000, exit);
      await eventually(() => assert.equal(listed(jid), false), 1000);
      await before.assertNothingLeft();
    });
  }

  it('leave the jails of the others alone', async () => {
    const jail = await jails.create();
    const command = jail.spawn('sleep', ['1000']);
    await once(command, 'spawn');
    const worker = startWorker(
      `const jail = await Jail.create(spec); parentPort.postMessage(jail.jid);`,
      jails.spec(),
    );
    await message(worker);
    await worker.terminate();
    assert.equal((await jail.exec('echo', ['alive'])).stdout, 'alive\n');
    assert.equal(command.exitCode, null);
    assert.equal(listed(jail.jid), true);
  });

  it('are terminated in the middle of making one', async () => {
    await jails.create();
    const before = new Snapshot(join(jails.root.outside, 'nothing'));
    for (const delay of [0, 1, 3, 6, 10, 20]) {
      const worker = startWorker(
        `parentPort.postMessage('begun'); for (;;) await (await Jail.create(spec)).stop();`,
        jails.spec(),
      );
      await message(worker);
      await new Promise((done) => setTimeout(done, delay));
      await worker.terminate();
    }
    await before.assertNothingLeft();
    await eventually(() => {
      const own = listJails().filter(({ path }) => path === jails.root.path);
      assert.equal(own.length, 1);
    });
  });
});

describe('several copies of the package', () => {
  before(function () {
    skipOnModel(this, 'it belongs to one copy');
  });
  const jails = useJails();

  it('work beside each other in one program and see the same jails', async () => {
    const copies = await Promise.all(['one', 'two'].map((name) => copyPackage(name)));
    const [one, two] = await Promise.all(copies.map((url) => import(url)));
    assert.notEqual(one.Jail, two.Jail);
    const first = await one.Jail.create(jails.spec());
    const second = await two.Jail.create(jails.spec());
    const third = await jails.create();
    try {
      assert.equal(new Set([first.jid, second.jid, third.jid]).size, 3);
      for (const copy of [one, two]) {
        const jids = copy.listJails().map((jail: { jid: number }) => jail.jid);
        for (const jail of [first, second, third]) assert(jids.includes(jail.jid));
      }
      const outputs = await Promise.all(
        [first, second, third].map((jail) => jail.exec('echo', [String(jail.jid)])),
      );
      assert.deepEqual(
        outputs.map(({ stdout }) => Number(stdout)),
        [first.jid, second.jid, third.jid],
      );
      const opened = await one.Jail.open(second.jid);
      assert.equal((await opened.exec('echo', ['across'])).stdout, 'across\n');
      await opened[Symbol.asyncDispose]();
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });

  // What an installed package consists of.
  async function copyPackage(name: string): Promise<string> {
    const from = dirname(fileURLToPath(import.meta.resolve('dragonfly-jail/package.json')));
    const to = join(jails.root.outside, 'copies', name);
    await mkdir(join(to, 'build/Release'), { recursive: true });
    await cp(join(from, 'package.json'), join(to, 'package.json'));
    await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true });
    const built = await readdir(join(from, 'build/Release'), { withFileTypes: true });
    for (const file of built) {
      if (!file.isFile()) continue;
      await cp(join(from, 'build/Release', file.name), join(to, 'build/Release', file.name));
    }
    return pathToFileURL(join(to, 'dist/index.js')).href;
  }
});
