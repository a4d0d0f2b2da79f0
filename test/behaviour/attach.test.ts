import assert from 'node:assert/strict';
import { type as systemType } from 'node:os';
import { listJails } from 'dragonfly-jail';
import { nextIPv4 } from '../support/addresses.js';
import { eventually, onModel, skip } from '../support/environment.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

// What moves its own process cannot be tried here: another program does it and tells. On the model: test/unit/attach.test.ts.

/** Opens what leads out and what does not, and enters; `report`, `open` and `before` are for what follows. */
const ENTER = `
  import { lookup } from 'node:dns/promises';
  import { execFileSync } from 'node:child_process';
  import { opendirSync, openSync, readdirSync, readFileSync, readSync, watch } from 'node:fs';
  import { once } from 'node:events';
  import { connect, createServer } from 'node:net';
  import { hostname } from 'node:os';
  import { randomBytes } from 'node:crypto';
  import { Worker } from 'node:worker_threads';
  const open = { directory: openSync('/', 'r'), file: openSync('/etc/passwd', 'r') };
  const folder = opendirSync('/');
  const watcher = watch('/', { persistent: false });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const codeOf = async (call) => { try { await call(); return 'done'; } catch (error) { return error.code; } };
  const jail = await Jail.create(spec);
  const entries = readdirSync(spec.path);
  const report = jail.attach();`;

describe('attach()', () => {
  const jails = useJails();

  it('is refused on Linux, and the jail goes on', async function () {
    if (onModel || systemType() !== 'Linux') skip(this, 'is about Linux');
    const jail = await jails.create();
    assert.throws(() => jail.attach(), { code: 'ERR_JAIL_UNSUPPORTED', hint: /spawn\(\)/ });
    assert.equal((await jail.exec('echo', ['on'])).stdout, 'on\n');
  });

  it('is refused of a jail that is stopped', async () => {
    const jail = await jails.create();
    await jail.stop();
    assert.throws(() => jail.attach(), { code: 'ERR_JAIL_STOPPED' });
  });

  describe('on DragonFly', () => {
    before(function () {
      if (onModel || systemType() !== 'DragonFly') skip(this, 'is about the kernel of DragonFly');
    });

    it('moves the program into the jail and leaves no way out', async () => {
      await using program = new Program(
        `${ENTER}
        const [byDirectory] = report.closed.filter((fd) => fd === open.directory);
        say({
          jid: jail.jid, cwd: process.cwd(), hostname: hostname(),
          inside: JSON.stringify(readdirSync('/')) === JSON.stringify(entries),
          above: JSON.stringify(readdirSync('../../..')) === JSON.stringify(entries),
          directory: byDirectory === open.directory, empty: readSync(open.directory, Buffer.alloc(8)),
          folder: await codeOf(() => { while (folder.readSync() !== null); }),
          closed: report.closed.length,
          file: report.kept.find(({ fd }) => fd === open.file)?.type,
          types: [...new Set(report.kept.map(({ type }) => type))],
        });
        watcher.close();
        folder.closeSync();
        say({ closed: 'nothing of anybody else', still: readSync(open.file, Buffer.alloc(1)) });
        process.exit();`,
        jails.spec({ hostname: 'inside.test' }),
      );
      const told = await program.next<Record<string, unknown>>();
      const { jid, closed, types, folder, ...rest } = told;
      assert.deepEqual(rest, {
        cwd: '/',
        hostname: 'inside.test',
        inside: true,
        above: true,
        directory: true,
        empty: 0,
        file: 'file',
      });
      assert(Number(closed) >= 2, String(closed));
      assert.notEqual(folder, undefined);
      for (const type of ['file', 'socket', 'kqueue', 'pipe']) {
        assert((types as string[]).includes(type), `${type} in ${types}`);
      }
      assert.deepEqual(await program.next(), { closed: 'nothing of anybody else', still: 1 });
      assert.deepEqual((await program.ended).code, 0);
      await eventually(() => assert(!listJails().some((jail) => jail.jid === jid)));
    });

    it('leaves Node working: timers, files, programs, threads, names, random numbers, the network', async () => {
      const address = nextIPv4();
      await using program = new Program(
        `${ENTER}
        await sleep(10);
        const inside = createServer((socket) => socket.end('hello')).listen(0, ${JSON.stringify(address)});
        await once(inside, 'listening');
        const [greeting] = await once(connect(inside.address().port, ${JSON.stringify(address)}), 'data');
        const worker = new Worker('require("node:worker_threads").parentPort.postMessage(process.cwd())', { eval: true, execArgv: [] });
        const [from] = await once(worker, 'message');
        say({
          file: readFileSync('/etc/passwd').length > 0,
          program: String(execFileSync('/bin/echo', ['child'])),
          worker: from, greeting: String(greeting), random: randomBytes(8).length,
          localhost: await codeOf(() => lookup('localhost')),
          foreign: await codeOf(() => new Promise((done, fail) =>
            createServer().on('error', fail).listen(0, '127.0.0.99', done))),
        });
        process.exit();`,
        jails.spec({ addresses: [address], interface: 'lo0' }),
      );
      assert.deepEqual(await program.next(), {
        file: true,
        program: 'child\n',
        worker: '/',
        greeting: 'hello',
        random: 8,
        localhost: 'done',
        foreign: 'EINVAL',
      });
    });

    it('leaves the handle what its monitor does; everything that makes or finds jails is refused', async () => {
      await using program = new Program(
        `${ENTER}
        const { stdout, exitCode } = await jail.exec('echo', ['by the monitor']);
        say({
          stdout, exitCode,
          mine: jail.processes().some(({ pid, jid }) => pid === process.pid && jid === jail.jid),
          again: await codeOf(() => jail.attach()),
          create: await codeOf(() => Jail.create(spec)),
          info: await codeOf(() => jail.info()),
          listed: dfjail.listJails().length,
          jails: dfjail.probe().features.jails.available,
        });
        void jail.stop();
        await sleep(20_000);`,
        jails.spec(),
      );
      assert.deepEqual(await program.next(), {
        stdout: 'by the monitor\n',
        exitCode: 0,
        mine: true,
        again: 'ERR_JAIL_UNSUPPORTED',
        create: 'EPERM',
        info: 'ERR_JAIL_NOT_FOUND',
        listed: 0,
        jails: false,
      });
      const { signal } = await program.ended;
      assert.equal(signal, 'SIGTERM'); // stop() ends everything in the jail, and this is in it
    });
  });
});
