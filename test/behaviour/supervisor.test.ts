import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JailError, listJails } from 'dragonfly-jail';
import {
  type LogLine,
  readState,
  type ServiceSpec,
  type ServiceStatus,
  Supervisor,
} from 'dragonfly-jail/supervisor';
import { nextIPv4, nextPort } from '../support/addresses.js';
import {
  eventually,
  nodePath,
  onModel,
  skipOnModel,
  sleep,
  supervisorUrl,
} from '../support/environment.js';
import { writeFile } from '../support/files.js';
import { hostProcess, killOnHost } from '../support/host.js';
import { useJails } from '../support/jails.js';
import { Program } from '../support/programs.js';

const FOREVER = ['sleep', '1000'];

describe('a supervisor of services in jails', () => {
  const jails = useJails();
  const running: Supervisor[] = [];
  let count = 0;

  afterEach(async () => {
    await Promise.all(running.splice(0).map((supervisor) => supervisor.stop()));
  });

  function service(command: readonly string[], about: Partial<ServiceSpec> = {}): ServiceSpec {
    return { jail: jails.spec(), command, stop: { graceMs: 500 }, ...about };
  }

  function script(text: string, about: Partial<ServiceSpec> = {}): ServiceSpec {
    return service(['sh', '-c', text], about);
  }

  function make(
    services: Record<string, ServiceSpec>,
    options: { stateFile?: string } = {},
  ): { supervisor: Supervisor; story: string[] } {
    const supervisor = new Supervisor(services, options);
    running.push(supervisor);
    const story: string[] = [];
    supervisor.on('state', ({ name, state }) => void story.push(`${name} ${state}`));
    return { supervisor, story };
  }

  function status(supervisor: Supervisor, name: string): ServiceStatus {
    const found = supervisor.status().find((one) => one.name === name);
    assert(found !== undefined, `there is no service ${name}`);
    return found;
  }

  const file = (name: string) => join(jails.root.outside, `${count++}-${name}`);

  it('starts each when what it depends on is ready, and stops it before that', async () => {
    const { supervisor, story } = make({
      web: service(FOREVER, { dependsOn: ['db', 'cache'] }),
      db: script('sleep 0.2; echo db is listening; exec sleep 1000', {
        ready: { line: 'listening' },
      }),
      cache: service(FOREVER),
    });
    await supervisor.start();
    assert.deepEqual(
      supervisor.status().map(({ name, state }) => [name, state]),
      [
        ['db', 'ready'],
        ['cache', 'ready'],
        ['web', 'ready'],
      ],
    );
    assert(story.indexOf('web starting') > story.indexOf('db ready'), story.join(', '));
    const { pid, jid } = status(supervisor, 'web');
    assert.equal(hostProcess(pid ?? 0)?.command, 'sleep');
    assert(listJails().some((jail) => jail.jid === jid && jail.name === 'web'));
    await supervisor.stop();
    assert(story.indexOf('db stopping') > story.indexOf('web stopped'), story.join(', '));
    assert.equal(hostProcess(pid ?? 0), null);
    assert(!listJails().some(({ name }) => ['web', 'db', 'cache'].includes(name ?? '')));
  });

  it('knows a service ready by the port that it listens on', async () => {
    const port = nextPort();
    // By its only family: DragonFly's `::` is IPv6 alone.
    const node = `setTimeout(() => require('node:net').createServer().listen(${port}, '0.0.0.0'), 100)`;
    const command = onModel ? ['listen', `${port}`, '100'] : [nodePath, '-e', node];
    const jail = jails.spec({ addresses: [nextIPv4()] });
    const { supervisor } = make({ web: { ...service(command, { ready: { port } }), jail } });
    const start = performance.now();
    await supervisor.start();
    assert.equal(status(supervisor, 'web').state, 'ready');
    assert(performance.now() - start >= 100);
  });

  it('knows a service ready by a file inside its jail, and is not led out of it', async () => {
    const outside = file('outside');
    writeFile(outside, '');
    const { supervisor } = make({
      there: script('sleep 0.1; echo > /tmp/ready; exec sleep 1000', {
        ready: { file: '/tmp/ready' },
      }),
      tricked: script(`ln -s ${jails.root.outside} /tmp/link; exec sleep 1000`, {
        ready: { file: `/tmp/link/${outside.split('/').pop()}`, timeoutMs: 300 },
        restart: 'never',
      }),
    });
    await supervisor.start();
    assert.equal(status(supervisor, 'there').state, 'ready');
    assert.equal(status(supervisor, 'tricked').state, 'failed');
    assert.match(status(supervisor, 'tricked').reason ?? '', /not ready after 300 ms: no file/);
  });

  it('restarts what ends, ever later, and gives up at the limit', async () => {
    const { supervisor, story } = make({
      weak: script('exit 4', { restart: { when: 'always', delayMs: 20, limit: 3 } }),
    });
    const start = performance.now();
    await supervisor.start();
    await eventually(() => assert.equal(status(supervisor, 'weak').state, 'failed'));
    assert(performance.now() - start >= 20 + 40 + 80);
    assert.equal(story.filter((line) => line === 'weak restarting').length, 3);
    const { reason, restarts, jid } = status(supervisor, 'weak');
    assert.match(reason ?? '', /exit code 4/);
    assert.deepEqual([restarts, jid], [3, null]);
    assert(!listJails().some(({ name }) => name === 'weak'), 'its jail is gone');
  });

  it('leaves alone what ended well, unless it is always to run', async () => {
    const { supervisor } = make({
      once: script('exit 0'),
      again: script('exit 0', { restart: { when: 'always', delayMs: 1, limit: 2 } }),
    });
    await supervisor.start();
    await eventually(() => {
      assert.equal(status(supervisor, 'once').state, 'stopped');
      assert.equal(status(supervisor, 'again').state, 'failed');
    });
    assert.equal(status(supervisor, 'once').restarts, 0);
    assert.equal(status(supervisor, 'again').restarts, 2);
  });

  it('restarts in a new jail when the jail itself was lost', async () => {
    const { supervisor } = make({ web: service(FOREVER, { restart: { delayMs: 10 } }) });
    await supervisor.start();
    const before = status(supervisor, 'web');
    killOnHost(before.pid ?? 0, 'SIGKILL');
    await eventually(() => {
      const now = status(supervisor, 'web');
      assert.equal(now.state, 'ready');
      assert.notEqual(now.pid, before.pid);
    });
    assert.equal(status(supervisor, 'web').jid, before.jid, 'the jail was not lost');
  });

  it('kills and restarts what is not healthy any more', async () => {
    const { supervisor, story } = make({
      web: script('sleep 0.3; echo > /tmp/sick; exec sleep 1000', {
        health: {
          command: ['sh', '-c', 'rm /tmp/sick && exit 1; exit 0'],
          intervalMs: 50,
          failures: 1,
        },
        restart: { delayMs: 1, limit: 1 },
      }),
    });
    await supervisor.start();
    assert.equal(status(supervisor, 'web').state, 'ready');
    await eventually(() => assert(story.includes('web restarting'), story.join(', ')));
    await eventually(() => assert.equal(story.at(-1), 'web failed'), 5000);
    assert.match(status(supervisor, 'web').reason ?? '', /health check ended with 1/);
  });

  it('takes a health check at its word that leaves somebody behind', async function () {
    skipOnModel(this, 'its sh starts nothing beside itself');
    const { supervisor, story } = make({
      web: service(FOREVER, {
        health: {
          command: ['sh', '-c', 'sleep 1000 & exit 0'],
          intervalMs: 20,
          timeoutMs: 300,
          failures: 1,
        },
        restart: 'never',
      }),
    });
    await supervisor.start();
    await sleep(800);
    assert.equal(story.at(-1), 'web ready', status(supervisor, 'web').reason ?? '');
  });

  it('runs what only prepares something to its end before the others start', async () => {
    const { supervisor, story } = make({
      web: service(FOREVER, { dependsOn: ['setup'] }),
      setup: script('sleep 0.1; exit 0', { kind: 'oneshot' }),
      broken: script('exit 1', { kind: 'oneshot', restart: 'never' }),
      never: service(FOREVER, { dependsOn: ['broken'] }),
    });
    await supervisor.start();
    assert(story.indexOf('setup done') < story.indexOf('web starting'), story.join(', '));
    assert.equal(status(supervisor, 'web').state, 'ready');
    assert.equal(status(supervisor, 'broken').state, 'failed');
    assert.match(status(supervisor, 'never').reason ?? '', /depends on broken/);
    assert.equal(status(supervisor, 'never').state, 'failed');
  });

  it('gives each line that a service writes to whoever asked for it', async () => {
    const lines: LogLine[] = [];
    const { supervisor } = make({
      talk: script('echo one; echo two >&2; printf three', {
        log: (line) => void lines.push(line),
      }),
    });
    await supervisor.start();
    await eventually(() => assert.equal(lines.length, 3));
    const sorted = lines
      .map(({ service: name, stream, text }) => `${name} ${stream} ${text}`)
      .sort();
    assert.deepEqual(sorted, ['talk stderr two', 'talk stdout one', 'talk stdout three']);
  });

  it('keeps what a service writes in a file that is moved aside when it has grown, and loses nothing', async () => {
    const log = file('talk.log');
    const { supervisor } = make({
      talk: script('i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done', {
        log: { file: log, maxBytes: 50_000, keep: 9 },
      }),
    });
    await supervisor.start();
    await eventually(() => assert.equal(status(supervisor, 'talk').state, 'stopped'), 10_000);
    const name = log.split('/').pop() ?? '';
    const parts = readdirSync(jails.root.outside)
      .filter((one) => one.startsWith(name))
      .sort();
    assert(parts.length > 2, parts.join(', '));
    const inOrder = [...parts.slice(1).reverse(), name].map((one) =>
      readFileSync(join(jails.root.outside, one), 'utf8'),
    );
    const expected = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
    assert.equal(inOrder.join(''), expected);
  });

  it('keeps only as many old logs as it was told', async () => {
    const log = file('few.log');
    const { supervisor } = make({
      talk: script('i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done', {
        log: { file: log, maxBytes: 20_000, keep: 2 },
      }),
    });
    await supervisor.start();
    await eventually(() => assert.equal(status(supervisor, 'talk').state, 'stopped'), 10_000);
    const name = log.split('/').pop() ?? '';
    const parts = readdirSync(jails.root.outside)
      .filter((one) => one.startsWith(name))
      .sort();
    assert.deepEqual(parts, [name, `${name}.1`, `${name}.2`]);
  });

  it('does not try again what this machine cannot do', async () => {
    const source = `
      const { Supervisor } = await import(${JSON.stringify(supervisorUrl)});
      const command = ['sleep', '1000'];
      const supervisor = new Supervisor({ web: { jail: spec, command, restart: { delayMs: 1 } } });
      supervisor.on('problem', () => {});
      await supervisor.start().catch(() => {});
      await sleep(50);
      const [{ state, reason, restarts }] = supervisor.status();
      say({ state, reason, restarts });`;
    const env = { DRAGONFLY_JAIL_NATIVE: '/nonexistent' };
    const spec = { path: '/', hostname: 'service.test' };
    await using program = new Program(source, spec, { env });
    const told = await program.next<{ state: string; reason: string; restarts: number }>();
    assert.deepEqual([told.state, told.restarts], ['failed', 0]);
    assert.match(told.reason, /native part/);
  });

  it('does not write through a symbolic link in the place of its log', async () => {
    const victim = file('victim');
    const log = file('link.log');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, log);
    const { supervisor } = make({ talk: script('echo hello', { log: { file: log } }) });
    const problems: string[] = [];
    supervisor.on('problem', ({ message }, name) => void problems.push(`${name}: ${message}`));
    await supervisor.start();
    await eventually(() => assert.equal(problems.length, 1));
    assert.match(problems[0] ?? '', /talk: .*ELOOP/);
    assert.equal(readFileSync(victim, 'utf8'), 'untouched');
  });

  it('tells other programs what it is doing', async () => {
    const stateFile = file('state.json');
    const { supervisor } = make({ web: service(FOREVER) }, { stateFile });
    assert.equal(readState(stateFile), null);
    await supervisor.start();
    const state = readState(stateFile);
    assert.equal(state?.pid, process.pid);
    assert.deepEqual(state?.services, supervisor.status());
    await supervisor.stop();
    assert.equal(readState(stateFile)?.services[0]?.state, 'stopped');
    writeFileSync(stateFile, '{}');
    assert.throws(() => readState(stateFile), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('changes what is to run without touching what did not change', async () => {
    const { supervisor } = make({
      same: service(FOREVER),
      other: service(FOREVER),
      gone: service(FOREVER),
    });
    await supervisor.start();
    const before = status(supervisor, 'same').pid;
    const done = await supervisor.reload({
      same: service(FOREVER),
      other: service(['sleep', '1001']),
      fresh: service(FOREVER),
    });
    assert.deepEqual(done, {
      started: ['fresh'],
      restarted: ['other'],
      stopped: ['gone'],
      unchanged: ['same'],
    });
    assert.equal(status(supervisor, 'same').pid, before);
    assert(!listJails().some(({ name }) => name === 'gone'));
    assert(supervisor.status().every(({ state }) => state === 'ready'));
    const bad = supervisor.reload({ same: service([]) });
    await assert.rejects(bad, { code: 'ERR_INVALID_ARG_VALUE' });
    assert.equal(status(supervisor, 'fresh').state, 'ready');
  });

  it('restarts one of them when asked', async () => {
    const { supervisor } = make({ web: service(FOREVER), db: service(FOREVER) });
    await supervisor.start();
    const [web, db] = [status(supervisor, 'web').pid, status(supervisor, 'db').pid];
    await supervisor.restart('web');
    assert.notEqual(status(supervisor, 'web').pid, web);
    assert.equal(status(supervisor, 'web').state, 'ready');
    assert.equal(status(supervisor, 'db').pid, db);
    await assert.rejects(supervisor.restart('wbe'), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('does not wait for the end of the start when it is to stop', async () => {
    const { supervisor } = make({
      slow: service(FOREVER, { ready: { line: 'never', timeoutMs: 60_000 } }),
      after: service(FOREVER, { dependsOn: ['slow'] }),
    });
    const starting = supervisor.start();
    await eventually(() => assert.notEqual(status(supervisor, 'slow').pid, null));
    const start = performance.now();
    await supervisor.stop();
    await starting;
    assert(performance.now() - start < 5000);
    assert(supervisor.status().every(({ state }) => state === 'stopped'));
  });

  it('refuses definitions that cannot work, before it starts anything', () => {
    const refuses = (services: unknown, pattern: RegExp) =>
      assert.throws(
        () => new Supervisor(services as Record<string, ServiceSpec>),
        (error: JailError) => {
          assert.match(error.code, /^ERR_INVALID_ARG_(VALUE|TYPE)$/);
          assert.match(`${error.message} ${error.hint}`, pattern);
          return true;
        },
      );
    const a = service(FOREVER, { dependsOn: ['b'] });
    const b = service(FOREVER, { dependsOn: ['a'] });
    refuses({ a, b }, /no cycle.*a → b → a/);
    refuses(
      { a: service(FOREVER, { dependsOn: ['dbb'] }), db: service(FOREVER) },
      /did you mean db/,
    );
    refuses({ a: service([]) }, /services\.a\.command/);
    refuses({ 'not a name': service(FOREVER) }, /name/);
    refuses({ a: { ...service(FOREVER), restart: 'often' } }, /services\.a\.restart/);
    refuses({ a: { ...service(FOREVER), ready: {} } }, /a port, a file or a line/);
    refuses({ a: { ...service(FOREVER), comand: [] } }, /comand/);
  });

  it('ends with everything at SIGTERM', async () => {
    const services = { web: service(FOREVER), db: service(FOREVER) };
    await using program = new Program(
      `const { Supervisor } = await import(${JSON.stringify(supervisorUrl)});
       const supervisor = new Supervisor(${JSON.stringify(services)});
       supervisor.on('state', ({ state }) => {
         if (supervisor.status().every((one) => one.state === 'ready')) say(supervisor.status());
       });
       say(await supervisor.run());`,
      jails.spec(),
    );
    const statuses = await program.next<ServiceStatus[]>();
    process.kill(program.pid, 'SIGTERM');
    assert.equal(await program.next(), 'SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    for (const { pid } of statuses) assert.equal(hostProcess(pid ?? 0), null);
  });

  it('leaves services running when it was told so, and the next one adopts them', async () => {
    const stateFile = file('kept.json');
    const log = { file: file('kept.log') };
    const services = {
      web: script('echo ready; exec sleep 1000', { log, ready: { line: 'ready' } }),
    };
    const options = { stateFile, onExit: 'keep' as const };
    await using program = new Program(
      `const { Supervisor } = await import(${JSON.stringify(supervisorUrl)});
       const supervisor = new Supervisor(${JSON.stringify(services)}, ${JSON.stringify(options)});
       supervisor.on('state', (status) => { if (status.state === 'ready') say(status); });
       say(await supervisor.run());`,
      jails.spec(),
    );
    const before = await program.next<ServiceStatus>();
    process.kill(program.pid, 'SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.equal(hostProcess(before.pid ?? 0)?.command, 'sleep');

    const next = new Supervisor(services, options);
    running.push(next);
    await next.start();
    assert.equal(status(next, 'web').pid, before.pid, 'the very same command');
    assert.equal(status(next, 'web').jid, before.jid);
    assert.equal(readFileSync(log.file, 'utf8'), 'ready\n');
    process.kill(before.pid ?? 0, 'SIGKILL');
    await eventually(() => {
      assert.equal(status(next, 'web').state, 'ready');
      assert.notEqual(status(next, 'web').pid, before.pid);
    });
    await next.stop();
    assert(!listJails().some(({ name }) => name === 'web'));
  });
});
