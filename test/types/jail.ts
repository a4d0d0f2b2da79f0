import type { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import {
  type Capabilities,
  type ExecOptions,
  type ExecResult,
  findJails,
  Jail,
  JailError,
  type JailEvent,
  JailedProcess,
  type JailInfo,
  type JailSpec,
  JailSystemError,
  type listJails,
  listProcesses,
  type PlanStep,
  type Probe,
  type ProcessExit,
  probe,
  recover,
  setDefaultCapabilities,
  watchJails,
} from 'dragonfly-jail';
import { holds, type Same } from './expect.js';

declare const jail: Jail;
declare const child: JailedProcess;

// ── a jail is made of a spec ──

export const small: JailSpec = { path: '/jails/www', hostname: 'www' };
export const large = {
  ...small,
  name: 'www',
  addresses: ['10.0.0.7', { address: 'fe80::7', scopeid: 'lo' }],
  interface: 'em0',
  capabilities: { rawSockets: true },
  mounts: [{ type: 'tmpfs', target: '/tmp', options: { size: '64m', mode: 0o1777 } }],
  limits: { nofile: 1024, cpu: { soft: 60, hard: 90 }, memory: 2 ** 28 },
  persist: 'until-empty',
} as const satisfies JailSpec;

holds<Same<ReturnType<typeof Jail.create>, Promise<Jail>>>();
holds<Same<ReturnType<typeof Jail.plan>, readonly PlanStep[]>>();
Jail.create(large, { signal: AbortSignal.timeout(1000) });
Jail.open(1);
Jail.open('www');

// @ts-expect-error: without a hostname
Jail.create({ path: '/jails/www' });
// @ts-expect-error: a number for a path
Jail.create({ path: 7, hostname: 'www' });
// @ts-expect-error: one address is a list of one
Jail.create({ ...small, addresses: '10.0.0.7' });
// @ts-expect-error: misspelt
Jail.create({ ...small, adresses: ['10.0.0.7'] });
// @ts-expect-error: there is no such capability
Jail.create({ ...small, capabilities: { rawSocket: true } });
// @ts-expect-error: DragonFly has no such mount
Jail.create({ ...small, mounts: [{ type: 'overlay', target: '/tmp' }] });
// @ts-expect-error: mounts are typed in lower case, limits named as setrlimit(2) has them
Jail.create({ ...small, limits: { maxFiles: 10 } });
// @ts-expect-error: only these
Jail.create({ ...small, persist: 'forever' });
// @ts-expect-error: jails are made by Jail.create() and Jail.open()
new Jail();
// @ts-expect-error: a handle tells, it is not told
jail.jid = 7;

// ── a jail is used as things of Node are ──

holds<Jail extends AsyncDisposable ? true : false>();
holds<Jail extends EventEmitter ? true : false>();
jail.on('exit', () => {}).once('exit', () => {});
// @ts-expect-error: there is no such event
jail.on('end', () => {});
holds<Same<ReturnType<typeof jail.info>, JailInfo>>();
holds<Same<ReturnType<typeof jail.unref>, Jail>>();

// ── commands ──

jail.spawn('ls');
jail.spawn('ls', ['-l'] as const, { stdio: ['ignore', 'pipe', 2], user: 80, timeout: 1000 });
jail.spawn('sh', { pty: { columns: 80, rows: 24 } });
// @ts-expect-error: arguments are a list
jail.spawn('ls', '-l');
// @ts-expect-error: there is no shell option
jail.spawn('ls', { shell: true });
// @ts-expect-error: no 'ipc'
jail.spawn('ls', { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
// @ts-expect-error: no such signal
child.kill('SIGNONE');
// @ts-expect-error: commands are made by jail.spawn()
new JailedProcess();
// @ts-expect-error: what is for the package alone is not declared
child.begin;

holds<Same<typeof child.pid, number | undefined>>();
holds<Same<typeof child.stdin, Writable | null>>();
holds<Same<typeof child.stdout, Readable | null>>();
holds<Same<typeof child.exited, Promise<ProcessExit>>>();
child.on('exit', (code, signal) => {
  holds<Same<typeof code, number | null>>();
  holds<Same<typeof signal, NodeJS.Signals | null>>();
});

// ── exec() tells what it collects ──

export async function outputs(options: ExecOptions): Promise<void> {
  holds<Same<Awaited<ReturnType<typeof text>>, ExecResult<string>>>();
  const { stdout } = await jail.exec('id');
  holds<Same<typeof stdout, string>>();
  const latin = await jail.exec('id', ['-u'], { encoding: 'latin1', input: new Uint8Array(3) });
  holds<Same<typeof latin.stderr, string>>();
  const bytes = await jail.exec('id', [], { encoding: 'buffer' });
  holds<Same<typeof bytes.stdout, Buffer>>();
  const alone = await jail.exec('id', { encoding: 'buffer' });
  holds<Same<typeof alone.stdout, Buffer>>();
  const unknown = await jail.exec('id', options);
  holds<Same<typeof unknown.stdout, string | Buffer>>();
  // @ts-expect-error: exec() has no streams
  stdout.on('data', () => {});
  // @ts-expect-error: exec() is not sent objects
  await jail.exec('id', [], { input: { a: 1 } });
}
const text = () => jail.exec('id');

// ── looking ──

holds<Same<ReturnType<typeof listJails>, JailInfo[]>>();
findJails({ hostname: 'www' });
// @ts-expect-error: jails are opened by jid, not found by it
findJails({ jid: 3 });
const started: Date | undefined = listProcesses()[0]?.startTime;
const backend: Probe['backend'] = probe().backend;
// @ts-expect-error: FreeBSD has jails of another kind
export const wrong: typeof backend = 'freebsd';
export async function events(): Promise<JailEvent | undefined> {
  for await (const event of watchJails({ intervalMs: 100 })) return event;
  for (const { undone, failed } of await recover()) {
    console.log(undone.join(), failed[0]?.error.errno, started);
  }
  return undefined;
}

// ── capabilities ──

jail.setCapabilities({ rawSockets: true });
setDefaultCapabilities({});
// @ts-expect-error: only these
jail.setCapabilities({ everything: true });
holds<Same<ReturnType<typeof jail.capabilities>, Capabilities>>();

// ── errors ──

export function describe(error: unknown): string {
  if (error instanceof JailSystemError)
    return `${error.errno} ${error.syscall} ${error.step ?? ''}`;
  if (error instanceof JailError) return `${error.code} ${error.hint ?? ''}`;
  // @ts-expect-error: nothing is known of it
  return error.code;
}
