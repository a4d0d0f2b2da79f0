import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { DEFAULT_PATH, resolveExec, resolveSpawn } from '#internal/spawn-options.js';
import { neverBreaks, refuses, refusesType, refusesValue } from './refuses.js';

const option = (options: object) => () => resolveSpawn('/bin/sh', [], options);
const stdio = (value: unknown) => option({ stdio: value })().stdio;
const kinds = (value: unknown) =>
  stdio(value).map((slot) => (slot.kind === 'fd' ? slot.fd : slot.kind));

describe('the arguments of spawn()', () => {
  it('a file is enough', () => {
    assert.deepEqual(resolveSpawn('/bin/ls'), {
      file: '/bin/ls',
      argv: ['/bin/ls'],
      env: [`PATH=${DEFAULT_PATH}`],
      defaultPath: true,
      noNewPrivileges: false,
      cwd: null,
      user: null,
      group: null,
      groups: null,
      limits: [],
      stdio: [{ kind: 'pipe' }, { kind: 'pipe' }, { kind: 'pipe' }],
      pty: null,
      login: false,
      terminalType: '',
      searchPath: false,
      signal: null,
      timeout: 0,
      killSignal: 15,
    });
  });

  it('arguments can be left out, as with child_process', () => {
    assert.deepEqual(resolveSpawn('ls', ['-l', '']).argv, ['ls', '-l', '']);
    assert.equal(resolveSpawn('ls', { cwd: '/x' }).cwd, '/x');
    assert.equal(resolveSpawn('ls', ['-l'], { cwd: '/x' }).cwd, '/x');
    assert.equal(resolveSpawn('ls', undefined, { cwd: '/x' }).cwd, '/x');
    assert.equal(resolveSpawn('ls', null, { cwd: '/x' }).cwd, '/x');
    assert.equal(resolveSpawn('ls', ['-l'], undefined).cwd, null);
  });

  it('arguments that are none are refused', () => {
    for (const bad of ['-l', 5, true]) refusesType(() => resolveSpawn('ls', bad), /for args /);
    refusesType(() => resolveSpawn('ls', { 0: '-l' }, {}), /for args /);
    for (const bad of [5, null, {}]) refusesType(() => resolveSpawn('ls', ['a', bad]), /args\[1\]/);
    refusesValue(() => resolveSpawn('ls', ['a\0b']), /args\[0\]/);
    for (const bad of [null, 'cwd', []])
      refusesType(() => resolveSpawn('ls', [], bad), /for options/);
  });

  it('a file is a string that is not empty', () => {
    for (const bad of ['', 'a\0b']) refusesValue(() => resolveSpawn(bad), /for file /);
    for (const bad of [undefined, null, 5, ['ls']])
      refusesType(() => resolveSpawn(bad), /for file /);
  });

  it('the program can be told another name than its file', () => {
    const { file, argv } = resolveSpawn('/bin/sh', ['-c', 'x'], { argv0: '-sh' });
    assert.deepEqual([file, argv], ['/bin/sh', ['-sh', '-c', 'x']]);
    assert.deepEqual(resolveSpawn('ls', { argv0: '' }).argv, ['']);
    for (const bad of [5, null, {}]) refusesType(option({ argv0: bad }), /for argv0 /);
    refusesValue(option({ argv0: 'a\0b' }), /for argv0 /);
  });

  it('groups are numbers, fifteen at most', () => {
    assert.deepEqual(option({ groups: [] })().groups, []);
    assert.deepEqual(option({ groups: [5, 0] })().groups, [5, 0]);
    for (const bad of [5, 'wheel', null]) refusesType(option({ groups: bad }), /for groups /);
    refusesType(option({ groups: ['wheel'] }), /groups\[0\]/);
    for (const bad of [[-1], [2 ** 32], [1.5]])
      refusesValue(option({ groups: bad }), /groups\[0\]/);
    refusesValue(option({ groups: new Array(16).fill(1) }), /at most 15/);
  });

  it('only a file without a slash is looked for along PATH', () => {
    assert.equal(resolveSpawn('ls').searchPath, true);
    assert.equal(resolveSpawn('./ls').searchPath, false);
  });

  it('nothing of this program’s environment is inherited', () => {
    process.env.DFJAIL_UNIT_SECRET = 'secret';
    try {
      assert.deepEqual(option({ env: { A: '1', B: undefined, C: '' } })().env, [
        'A=1',
        'C=',
        `PATH=${DEFAULT_PATH}`,
      ]);
    } finally {
      delete process.env.DFJAIL_UNIT_SECRET;
    }
    assert.deepEqual(option({ env: { PATH: '/x' } })().env, ['PATH=/x']);
    assert.equal(option({ env: { PATH: '/x' } })().defaultPath, false);
    assert.equal(option({ env: { A: '1' }, pty: true })().defaultPath, true);
  });

  it('variables that no environment can hold are refused', () => {
    refusesValue(option({ env: { 'A=B': 'x' } }), /'='/);
    refusesValue(option({ env: { '': 'x' } }), /name of a variable/);
    refusesValue(option({ env: { A: 'x\0y' } }), /env\.A/);
    refusesType(option({ env: { A: 5 } }), /env\.A/);
    for (const bad of [null, 'A=1', ['A=1']]) refusesType(option({ env: bad }), /for env /);
  });

  it('cwd is absolute: it is a path inside the jail', () => {
    assert.equal(option({ cwd: '/var/www' })().cwd, '/var/www');
    for (const bad of ['', 'var', '../x', '/a\0']) refusesValue(option({ cwd: bad }), /for cwd /);
    refusesType(option({ cwd: 5 }), /for cwd /);
  });

  it('a user or group is a name or a number', () => {
    for (const name of ['user', 'group'] as const) {
      for (const good of ['www', 0, 65534, 4294967294]) {
        assert.equal(option({ [name]: good })()[name], good);
      }
      for (const bad of ['', 'a:b', 'a b', 'a\n', -1, 1.5, 2 ** 32 - 1]) {
        refusesValue(option({ [name]: bad }), new RegExp(`for ${name} `));
      }
      for (const bad of [null, true, ['www']]) refusesType(option({ [name]: bad }));
    }
  });

  it('timeout, killSignal, login and signal are checked', () => {
    assert.equal(option({ timeout: 1000 })().timeout, 1000);
    assert.equal(option({ killSignal: 'SIGKILL' })().killSignal, 9);
    assert.equal(option({ killSignal: 9 })().killSignal, 9);
    assert.equal(option({ login: true })().login, true);
    const { signal } = new AbortController();
    assert.equal(option({ signal })().signal, signal);
    assert.equal(option({ signal: AbortSignal.abort() })().signal?.aborted, true);
    for (const bad of [-1, 1.5, 2 ** 31, Number.NaN]) refusesValue(option({ timeout: bad }));
    for (const bad of [null, '5']) refusesType(option({ timeout: bad }), /for timeout /);
    for (const bad of ['KILL', 0, 65]) refusesValue(option({ killSignal: bad }), /killSignal/);
    for (const bad of [1, null]) refusesType(option({ login: bad }), /for login /);
    for (const bad of [{}, null, true]) refusesType(option({ signal: bad }), /an AbortSignal/);
  });

  it('a terminal has a size and a TERM', () => {
    assert.deepEqual(option({ pty: true })().pty, { columns: 80, rows: 24 });
    assert.deepEqual(option({ pty: { columns: 100, rows: 30 } })().pty, { columns: 100, rows: 30 });
    assert.equal(option({ pty: false })().pty, null);
    assert.ok(option({ pty: true })().env.includes('TERM=xterm'));
    assert.equal(option({ pty: true, env: { TERM: 'vt100' } })().terminalType, 'vt100');
    refusesValue(option({ pty: { columns: 0, rows: 1 } }), /pty\.columns/);
    refusesValue(option({ pty: { columns: 1, rows: 65536 } }), /pty\.rows/);
    refusesType(option({ pty: { columns: 1 } }), /pty\.rows/);
    refusesValue(option({ pty: { cols: 1, rows: 1 } }), /use columns/);
    refusesType(option({ pty: 'yes' }), /for pty /);
    assert.deepEqual(option({ pty: true, stdio: 'pipe' })().pty, { columns: 80, rows: 24 });
    refusesValue(option({ pty: true, stdio: 'ignore' }), /beside pty/);
    refusesValue(option({ pty: true, stdio: ['pipe', 1] }), /beside pty/);
  });

  it('options that child_process has and a jail has not are refused with advice', () => {
    refusesValue(option({ uid: 5 }), /use user/);
    refusesValue(option({ gid: 5 }), /use group/);
    refusesValue(option({ shell: true }), /\/bin\/sh/);
    refusesValue(option({ detached: true }), /'detached'/);
    refusesValue(option({ killsignal: 'SIGKILL' }), /'killSignal'/);
    refusesValue(option({ input: 'x' }), /'input'/);
    refuses(option({ limits: { memory: 1 } }), 'ERR_JAIL_UNSUPPORTED', /whole jail/);
  });

  it('whatever is given, nothing else than the documented errors comes out', () => {
    const options = fc.dictionary(
      fc.constantFrom('cwd', 'env', 'user', 'stdio', 'timeout', 'killSignal', 'pty', 'limits'),
      fc.anything(),
      { maxKeys: 2 },
    );
    const anything = fc.anything({ withNullPrototype: true, withTypedArray: true });
    fc.assert(
      fc.property(anything, anything, anything, (file, args, given) =>
        neverBreaks(() => resolveSpawn(file, args, given)),
      ),
    );
    fc.assert(
      fc.property(fc.oneof(options, anything), (given) =>
        neverBreaks(() => resolveExec('ls', [], given)),
      ),
    );
  });
});

describe('the stdio of spawn()', () => {
  it('words stand for the first three', () => {
    assert.deepEqual(kinds(undefined), ['pipe', 'pipe', 'pipe']);
    assert.deepEqual(kinds('pipe'), ['pipe', 'pipe', 'pipe']);
    assert.deepEqual(kinds('overlapped'), ['pipe', 'pipe', 'pipe']);
    assert.deepEqual(kinds('inherit'), [0, 1, 2]);
    assert.deepEqual(kinds('ignore'), ['null', 'null', 'null']);
  });

  it('a short list is filled with pipes', () => {
    assert.deepEqual(kinds([]), ['pipe', 'pipe', 'pipe']);
    assert.deepEqual(kinds(['ignore']), ['null', 'pipe', 'pipe']);
    assert.deepEqual(kinds([null, undefined, 'inherit']), ['pipe', 'pipe', 2]);
  });

  it('slots beyond the third are there only when something is given', () => {
    const slots = ['pipe', 'pipe', 'pipe', 'pipe', null, 'ignore', 7];
    assert.deepEqual(kinds(slots), ['pipe', 'pipe', 'pipe', 'pipe', 'closed', 'closed', 7]);
  });

  it('streams with a descriptor are taken, and kept alive', async () => {
    assert.deepEqual(kinds([process.stdin, process.stdout, process.stderr]), [0, 1, 2]);
    const file = createWriteStream('/dev/null');
    refusesValue(() => stdio(['pipe', file]), /'open'/);
    await once(file, 'open');
    const slot = stdio(['pipe', file])[1];
    assert.ok(slot?.kind === 'fd' && slot.fd > 2);
    assert.equal(slot.stream, file);
    file.close();
    await once(file, 'close');
    refusesValue(() => stdio(['pipe', file]), /stdio\[1\].*'close'/s);
  });

  it('a listening or connected socket is taken by its handle', async () => {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const [slot] = stdio([server]);
    assert.ok(slot?.kind === 'fd' && slot.fd > 2);
    server.close();
    await once(server, 'close');
    refusesType(() => stdio([server as unknown as Socket]), /stdio\[0\]/);
  });

  it('a stream without a descriptor is refused', () => {
    refusesValue(() => stdio([new PassThrough()]), /no descriptor/);
  });

  it('what is no stdio is refused', () => {
    refusesValue(() => stdio('pipes'), /for stdio /);
    refusesValue(() => stdio(['pipes']), /stdio\[0\]/);
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 31])
      refusesValue(() => stdio([bad]), /stdio\[0\]/);
    for (const bad of [{}, true, [], 1n, () => {}]) refusesType(() => stdio([bad]), /stdio\[0\]/);
    for (const bad of [5, true, {}]) refusesType(() => stdio(bad), /for stdio /);
    refuses(() => stdio(['pipe', 'pipe', 'pipe', 'ipc']), 'ERR_JAIL_UNSUPPORTED', /stdio\[3\]/);
    assert.equal(stdio(Array(64).fill('ignore')).length, 64);
    refusesValue(() => stdio(Array(65).fill('ignore')), /at most 64/);
  });
});

describe('the arguments of exec()', () => {
  it('output is text of at most 1 MiB unless something else is said', () => {
    const { encoding, maxBuffer, input } = resolveExec('ls');
    assert.deepEqual(
      { encoding, maxBuffer, input },
      { encoding: 'utf8', maxBuffer: 2 ** 20, input: null },
    );
    const other = resolveExec('ls', { encoding: 'buffer', maxBuffer: Number.POSITIVE_INFINITY });
    assert.equal(other.encoding, 'buffer');
    assert.equal(other.maxBuffer, Number.POSITIVE_INFINITY);
  });

  it('input is text or bytes', () => {
    assert.equal(
      Buffer.from(resolveExec('cat', { input: 'ü' }).input ?? '').toString('hex'),
      'c3bc',
    );
    const bytes = new Uint8Array([0, 255]);
    assert.equal(resolveExec('cat', { input: bytes }).input, bytes);
    for (const bad of [null, 5, [1]]) refusesType(() => resolveExec('cat', { input: bad }));
    refusesValue(() => resolveExec('cat', { input: 'x', stdio: 'ignore' }), /beside input/);
  });

  it('what is no encoding or size is refused', () => {
    refusesValue(() => resolveExec('ls', { encoding: 'utf-9' }), /for encoding /);
    refusesType(() => resolveExec('ls', { encoding: null }), /for encoding /);
    for (const bad of [-1, 1.5, Number.NaN])
      refusesValue(() => resolveExec('ls', { maxBuffer: bad }));
    refusesType(() => resolveExec('ls', { maxBuffer: '1' }), /for maxBuffer /);
    refusesValue(() => resolveExec('ls', { maxbuffer: 1 }), /'maxBuffer'/);
  });
});
