import assert from 'node:assert/strict';
import { ModelKernel, useModelKernel } from '#internal/backends/model/index.js';
import { jailTool } from '#internal/cli/base/jail.js';
import { jexecTool } from '#internal/cli/base/jexec.js';
import { jlsTool } from '#internal/cli/base/jls.js';
import { addBaseSystem, modelHost, sysctlTool } from '../support/base-system.js';
import { jailBy } from '../support/recordings.js';
import { TestIo } from '../support/tool-io.js';
import { recordedCalls, type Transcript } from '../support/transcripts.js';

// The recorded calls of jail(8), jls(8) and jexec(8), made again with `dfjail jail`, `jls` and `jexec` on the model, in
// the order in which they were made: the same output and the same status, byte for byte.

const OTHER_PROGRAMS: Readonly<Record<string, string>> = {
  sysctl:
    'sysctl(8) is no tool of dfjail; what it shows of jails is replayed in the conformance test',
  ps: 'ps(1) is no tool of dfjail, and shows the recorder’s own processes',
  hostname: 'hostname(1) is no tool of dfjail',
  kill: 'kill(1) is no tool of dfjail',
};

// Where an argument holds spaces, which the recording has lost.
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'jexec  1 /bin/echo space': ['jexec', ' 1', '/bin/echo', 'space'],
};

type Tool = (argv: readonly string[], io: TestIo) => Promise<number>;

describe('transcripts of the base system’s jail, jls and jexec', () => {
  const [first = [], second = []] = recordedCalls();
  let restore = () => {};
  afterEach(() => restore());

  function boot(): ModelKernel {
    const kernel = new ModelKernel();
    kernel.directory('/tmp/j');
    kernel.directory('/tmp/k');
    addBaseSystem(kernel);
    restore = useModelKernel(kernel);
    return kernel;
  }

  it('the first boot', async function () {
    this.timeout(20_000);
    const kernel = boot();
    const start = first.findIndex(({ text }) => text === 'jls');
    await replay(kernel, first.slice(0, start));
    jailsOfFirstBoot(kernel);
    await replay(kernel, first.slice(start));
  });

  it('the second boot', async function () {
    this.timeout(20_000);
    const kernel = boot();
    jailsOfSecondBoot(kernel);
    await replay(kernel, second);
  });

  it('every call was replayed, or belongs to another program, which is named', () => {
    const calls = [...first, ...second];
    const ours = calls.filter(({ text }) => /^(jail|jls|jexec)( |$)/.test(text));
    const others = calls.filter((call) => !ours.includes(call));
    assert.equal(calls.length, 85);
    assert.equal(ours.length, 57);
    const names = others.map(({ text }) => text.split(' ')[0] ?? '');
    for (const name of names) assert.ok(Object.hasOwn(OTHER_PROGRAMS, name), name);
    const count = (name: string) => names.filter((each) => each === name).length;
    const lines = Object.entries(OTHER_PROGRAMS).map(
      ([name, reason]) => `    ${name}: ${count(name)} calls not replayed: ${reason}`,
    );
    console.log([`    ${ours.length} calls replayed`, ...lines].join('\n'));
  });

  async function replay(kernel: ModelKernel, calls: readonly Transcript[]): Promise<void> {
    const tools: Readonly<Record<string, Tool>> = {
      jail: (argv, io) => jailTool(argv, io, modelHost(kernel)),
      jls: jlsTool,
      jexec: jexecTool,
    };
    for (const call of calls) {
      const [name = '', ...argv] = WORDS[call.text] ?? splitCall(call.text);
      const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
      if (tool === undefined) {
        tune(kernel, call);
        continue;
      }
      const io = new TestIo();
      const status = await tool(argv, io);
      const where = `line ${call.line}: ${call.text}`;
      assert.equal(io.both, call.output, where);
      assert.equal(status, call.status, where);
      assert.equal(io.listeners, 0, where);
    }
  }
});

// An empty argument has left two spaces. A script is one argument, up to the end.
function splitCall(text: string): readonly string[] {
  const [head = '', script] = text.split(' -c ');
  return script === undefined ? head.split(' ') : [...head.split(' '), '-c', script];
}

// What was set meanwhile counts for the calls that follow.
function tune(kernel: ModelKernel, { text, output, status }: Transcript): void {
  const [name, word = ''] = text.split(' ');
  if (name !== 'sysctl' || !word.includes('=') || status !== 0) return;
  assert.deepEqual(sysctlTool(kernel, kernel.host, word), { output, status });
}

// Made without a transcript. The third of them failed after it had taken a jid.
function jailsOfFirstBoot(kernel: ModelKernel): void {
  const make = (hostname: string, path: string, addresses: string[]) =>
    jailBy(kernel.host.fork(), hostname, path, addresses);
  assert.equal(make('host.one', '/tmp/j', ['10.0.0.1', '127.0.0.2']), 11);
  assert.equal(make('host.three', '/', []), 12);
  const failed = kernel.host.fork();
  assert.equal(jailBy(failed, 'host.two', '/tmp/k'), 13);
  failed.exit(1);
  kernel.host.wait(failed.pid);
  assert.equal(make('host.four', '/tmp/j', ['10.0.0.2']), 14);
}

function jailsOfSecondBoot(kernel: ModelKernel): void {
  const make = (hostname: string, path: string, addresses: string[]) =>
    jailBy(kernel.host.fork(), hostname, path, addresses);
  assert.equal(make('host.one', '/tmp/j', ['10.0.0.1', '127.0.0.2']), 1);
  assert.equal(make('host two', '/tmp/k', ['fd00::1']), 2);
}
