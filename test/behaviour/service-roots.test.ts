import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Jail, type JailedProcess, type JailSpec } from 'dragonfly-jail';
import { buildServiceRoot, inspectRoot, type ServiceRootOptions } from 'dragonfly-jail/rootfs';
import { nextIPv4, nextIPv6 } from '../support/addresses.js';
import { placeProgram } from '../support/compiled.js';
import {
  eventually,
  isRoot,
  nodePath,
  onDragonfly,
  skip,
  skipOnModel,
} from '../support/environment.js';

const TIMEOUT = 120_000;
const START_TIME = 20_000;
const POSTGRES = '/usr/lib/postgresql';

describe('a service root runs', function () {
  this.timeout(TIMEOUT);
  let path: string;
  let addresses: string[];
  let jail: Jail | undefined;

  before(function () {
    skipOnModel(this, 'programs of this machine');
  });

  // An ordinary user's jail has addresses for its own programs alone.
  function needClientOnHost(test: Mocha.Context): void {
    if (!isRoot) skip(test, 'needs root: the client is on the host');
  }

  beforeEach(async () => {
    path = join(await realpath(await mkdtemp(join(tmpdir(), 'dfjail-service-'))), 'root');
    addresses = [nextIPv4(), nextIPv6()];
  });

  afterEach(async () => {
    await jail?.stop({ graceMs: 5000 });
    jail = undefined;
    await rm(join(path, '..'), { recursive: true, force: true });
  });

  /** A jail in a root with these programs and nothing else. */
  async function start(
    options: ServiceRootOptions,
    { mounts: more = [], ...about }: Partial<JailSpec> = {},
  ): Promise<Jail> {
    const { mounts, missing } = await buildServiceRoot(path, options);
    assert.deepEqual(missing, []);
    assert.deepEqual(await inspectRoot(path), { kind: 'service', problems: [] });
    const spec = { path, mounts: [...mounts, ...more], hostname: 'service.test', addresses };
    const network = onDragonfly ? { interface: 'lo0' } : {};
    jail = await Jail.create({ ...spec, ...network, ...about });
    return jail;
  }

  /** Asks the service at each of its addresses until it answers, or it has ended. */
  async function ask(server: JailedProcess, question: (address: string) => Promise<void>) {
    const output = server.stderr === null ? Promise.resolve('') : text(server.stderr);
    for (const address of addresses) {
      await eventually(async () => {
        if (server.exitCode !== null) assert.fail(`it ended: ${await output}`);
        await question(address);
      }, START_TIME);
    }
  }

  it('a shell and Node, and there is nothing else in it', async () => {
    const inside = await start({ programs: ['/bin/sh', nodePath] });
    const script = `"$0" -p 'process.getuid() + os.userInfo().username + os.hostname()'`;
    const { stdout, stderr } = await inside.exec('/bin/sh', ['-c', script, nodePath]);
    assert.equal(stdout, '0rootservice.test\n', String(stderr));
    for (const program of ['/bin/ls', '/usr/bin/env']) {
      await assert.rejects(inside.exec(program), { code: 'ENOENT', step: 'exec' });
    }
  });

  it('scripts, with what they are run by', async () => {
    const script = join(path, '..', 'greet');
    writeFileSync(script, `#!/usr/bin/env -S sh -e\necho "hello $1"\n`, { mode: 0o755 });
    const inside = await start({ programs: [script] });
    const { stdout, stderr } = await inside.exec(script, ['jail']);
    assert.equal(stdout, 'hello jail\n', String(stderr));
  });

  it('a program that is linked without libraries', async function () {
    const program = join(path, '..', 'static');
    placeProgram(this, 'static', program);
    const inside = await start({ programs: [program] });
    const { exitCode } = await inside.exec(program);
    assert.equal(exitCode, 42);
    assert(!existsSync(join(path, 'usr/lib/x86_64-linux-gnu/libc.so.6')));
  });

  it('node, which answers over HTTP', async function () {
    needClientOnHost(this);
    const inside = await start({
      programs: [nodePath],
      files: [{ target: '/srv/server.js', content: NODE_SERVER }],
      users: [{ name: 'web', uid: 8080 }],
    });
    const server = inside.spawn(nodePath, ['/srv/server.js', ...addresses], { user: 'web' });
    await ask(server, async (address) => {
      assert.equal(await fetchText(address, 8080, '/hello'), `8080 asked for /hello`);
    });
  });

  it('nginx, which answers over HTTP', async function () {
    needClientOnHost(this);
    if (!existsSync('/usr/sbin/nginx')) skip(this, 'nginx is not installed');
    const inside = await start({
      programs: ['/usr/sbin/nginx'],
      files: [
        { target: '/etc/nginx/nginx.conf', content: nginxConf(addresses) },
        { target: '/srv/index.html', content: 'hello from nginx' },
      ],
      directories: ['/var/lib/nginx', '/var/log/nginx'],
      users: ['www-data'],
    });
    const server = inside.spawn('/usr/sbin/nginx');
    await ask(server, async (address) => {
      assert.equal(await fetchText(address, 80, '/'), 'hello from nginx');
    });
    const workers = inside.processes().filter(({ args }) => args[0]?.includes('worker'));
    assert(workers.length > 0);
  });

  it('redis-server, which answers in its protocol', async function () {
    needClientOnHost(this);
    const program = '/usr/bin/redis-server';
    if (!existsSync(program)) skip(this, 'redis-server is not installed');
    const inside = await start({
      programs: [program],
      users: ['redis'],
      directories: [{ path: '/var/lib/redis', mode: 0o700, user: 'redis', group: 'redis' }],
    });
    const settings = ['--port', '6379', '--protected-mode', 'no', '--dir', '/var/lib/redis'];
    const args = [...settings, '--bind', ...addresses];
    const server = inside.spawn(program, args, { user: 'redis' });
    await ask(server, async (address) => {
      const key = `key of ${address}`;
      const client = await open(address, 6379);
      try {
        assert.equal(await redis(client, 'PING'), '+PONG\r\n');
        assert.equal(await redis(client, 'SET', key, 'value'), '+OK\r\n');
        assert.equal(await redis(client, 'GET', key), '$5\r\nvalue\r\n');
        assert.equal(await redis(client, 'SAVE'), '+OK\r\n');
      } finally {
        client.destroy();
      }
    });
    assert(existsSync(join(path, 'var/lib/redis/dump.rdb')), 'it keeps its data in its own root');
  });

  it('postgres, which answers a query', async function () {
    needClientOnHost(this);
    const version = existsSync(POSTGRES) ? readdirSync(POSTGRES).sort().at(-1) : undefined;
    const home = `${POSTGRES}/${version}`;
    if (!existsSync(`${home}/bin/postgres`)) skip(this, 'postgresql is not installed');
    const inside = await start(
      {
        programs: [`${home}/bin/postgres`, `${home}/bin/initdb`, '/bin/sh'],
        files: [
          `/usr/share/postgresql/${version}`,
          `${home}/lib/plpgsql.so`,
          `${home}/lib/dict_snowball.so`,
          '/usr/share/zoneinfo',
          { target: '/etc/pg_hba.conf', content: 'host all all all trust\nlocal all all trust\n' },
        ],
        users: ['postgres'],
        directories: [
          { path: '/var/lib/data', mode: 0o700, user: 'postgres', group: 'postgres' },
          { path: '/run/postgresql', user: 'postgres' },
        ],
      },
      {
        capabilities: { sysvIpc: true },
        // That of devfs is too small for a database.
        mounts: [{ type: 'tmpfs', target: '/dev/shm', options: { mode: '1777' } }],
      },
    );
    const data = '/var/lib/data';
    const user = 'postgres';
    const made = await inside.exec(
      `${home}/bin/initdb`,
      ['-D', data, '--no-locale', '-E', 'UTF8', '-N'],
      { user, timeout: TIMEOUT / 2 },
    );
    assert.equal(made.exitCode, 0, made.stderr + made.stdout);
    const settings = {
      listen_addresses: addresses.join(','),
      hba_file: '/etc/pg_hba.conf',
      unix_socket_directories: '/run/postgresql',
      fsync: 'off',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = inside.spawn(`${home}/bin/postgres`, ['-D', data, ...options], { user });
    await ask(server, async (address) => {
      const answer = await query(address, 'SELECT 6 * 7, current_user, inet_server_addr()::text');
      assert.deepEqual(answer.slice(0, 2), ['42', 'postgres']);
      assert.equal(answer[2]?.replace(/\/\d+$/, ''), address);
    });
    server.kill('SIGINT');
    assert.deepEqual((await server.exited).exitCode, 0);
  });
});

const NODE_SERVER = `
  const { createServer } = require('node:http');
  for (const address of process.argv.slice(2)) {
    createServer((request, response) => {
      response.end(process.getuid() + ' asked for ' + request.url);
    }).listen(8080, address);
  }`;

function nginxConf(addresses: readonly string[]): string {
  const listen = addresses
    .map((address) => `listen ${address.includes(':') ? `[${address}]` : address}:80;`)
    .join(' ');
  return `
    user www-data;
    daemon off;
    pid /run/nginx.pid;
    error_log stderr;
    worker_processes 1;
    events { }
    http { access_log off; server { ${listen} root /srv; } }`;
}

function fetchText(host: string, port: number, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path: url, timeout: 3000, agent: false }, (response) => {
      text(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('it does not answer')));
  });
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  socket.setTimeout(5000, () => socket.destroy(new Error('it does not answer')));
  await once(socket, 'connect');
  return socket;
}

/** One command of the protocol of Redis, and what comes back. */
async function redis(socket: Socket, ...words: string[]): Promise<string> {
  const strings = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  socket.write(`*${words.length}\r\n${strings.join('')}`);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

/** Logs in to PostgreSQL, asks for one row, and gives its columns. */
async function query(host: string, sql: string): Promise<string[]> {
  const socket = await open(host, 5432);
  const ended = once(socket, 'close');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(startupMessage({ user: 'postgres', database: 'postgres' }));
  socket.write(message('Q', Buffer.from(`${sql}\0`)));
  socket.write(message('X', Buffer.alloc(0)));
  await ended;
  const messages = [...messagesOf(Buffer.concat(chunks))];
  const error = messages.find(({ type }) => type === 'E');
  if (error) assert.fail(error.body.toString().replaceAll('\0', ' '));
  const row = messages.find(({ type }) => type === 'D');
  return row === undefined ? [] : columnsOf(row.body);
}

function startupMessage(about: Record<string, string>): Buffer {
  const words = Object.entries(about).flat();
  const body = Buffer.from(`${words.join('\0')}\0\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.writeUInt32BE(3 << 16, 4);
  return Buffer.concat([head, body]);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function* messagesOf(bytes: Buffer): Generator<{ type: string; body: Buffer }> {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    const type = String.fromCharCode(bytes[at] ?? 0);
    yield { type, body: bytes.subarray(at + 5, at + 1 + length) };
    at += 1 + length;
  }
}

function columnsOf(row: Buffer): string[] {
  const columns: string[] = [];
  let at = 2;
  for (let left = row.readUInt16BE(0); left > 0; left--) {
    const length = row.readInt32BE(at);
    columns.push(length < 0 ? 'NULL' : row.subarray(at + 4, at + 4 + length).toString());
    at += 4 + Math.max(0, length);
  }
  return columns;
}
