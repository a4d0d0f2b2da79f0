import { decodeInt, decodeString, encodeInt } from '#internal/backends/dragonfly/sysctl-value.js';
import {
  KernelError,
  type ModelKernel,
  type ModelProcess,
  type ProgramContext,
} from '#internal/backends/model/index.js';
import { errorText } from '#internal/cli/base/error-text.js';
import type { Host } from '#internal/cli/base/host.js';
import { formatListing } from '#internal/cli/base/listing.js';
import { jailBy } from './recordings.js';

/** What jail(8) asks of the machine, answered by a model of it. */
export function modelHost(kernel: ModelKernel): Host {
  const { host } = kernel;
  return {
    realpath: (path) => host.realpath(path.startsWith('/') ? path : `/${path}`),
    checkFolder(path) {
      if (host.stat(path).kind !== 'directory') throw new KernelError('ENOTDIR');
    },
    readText(path) {
      const text = HOST_FILES[path];
      if (text === undefined) throw new KernelError('ENOENT');
      return text;
    },
    hasPasswords(root) {
      try {
        host.stat(`${root}/etc/passwd`);
        return true;
      } catch {
        return false;
      }
    },
  };
}

const HOST_FILES: Readonly<Record<string, string>> = {
  '/etc/passwd': 'root:*:0:0:Charlie &:/root:/bin/sh\nwww:*:80:80::/srv:\n',
  '/etc/group': 'wheel:*:0:root\nwww:*:80:\nlog:*:90:www,root\n',
};

/** The programs of the base system that the recorded commands call inside of jails. */
export function addBaseSystem(kernel: ModelKernel): void {
  const { programs } = kernel;
  programs.add('/bin/echo', ({ argv, stdout }) => {
    stdout.write(`${argv.slice(1).join(' ')}\n`);
  });
  programs.add('/bin/sleep', async ({ argv, sleep }) => {
    await sleep(Number(argv[1]) * 1000);
  });
  programs.add('/bin/pwd', ({ cwd, stdout }) => void stdout.write(`${cwd}\n`));
  programs.add('/bin/hostname', (context) => trying(context, 'sethostname', hostname));
  programs.add('/bin/ps', (context) => trying(context, '/dev/null', ps));
  programs.add('/bin/kill', (context) => trying(context, context.argv[2] ?? '', kill));
  programs.add('/usr/bin/id', ({ process, stdout }) => {
    stdout.write(`uid=${process.uid} gid=0 groups=0\n`);
  });
  programs.add('/usr/sbin/jls', ({ process, stdout }) => {
    stdout.write(formatListing(process.sysctl('jail.list').bytes, false));
  });
  programs.add('/usr/sbin/jail', (context) => trying(context, 'jail', jailInside));
  programs.add('/usr/sbin/jexec', (context) => {
    return trying(context, `jail_attach(${context.argv[1]}) failed`, jexecInside);
  });
  programs.add('/sbin/sysctl', ({ argv: [, word = ''], process, stdout }) => {
    const { output, status } = sysctlTool(kernel, process, word);
    stdout.write(output);
    return status;
  });
  programs.add('/bin/sh', shell);
}

// As err(3).
function trying(context: ProgramContext, what: string, body: (context: ProgramContext) => number) {
  try {
    return body(context);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const name = context.argv[0]?.split('/').at(-1);
    context.stderr.write(`${name}: ${what}: ${errorText(error.code)}\n`);
    return 1;
  }
}

function hostname({ argv: [, name], process, stdout }: ProgramContext): number {
  if (name === undefined) stdout.write(`${decodeString(process.sysctl('kern.hostname').bytes)}\n`);
  else process.sethostname(name);
  return 0;
}

// All that it came to there.
function ps({ process }: ProgramContext): number {
  process.open('/dev/null');
  throw new Error('the model has no ps(1)');
}

function kill({ argv: [, signal = '', pid], process }: ProgramContext): number {
  process.kill(Number(pid), Number(signal.slice(1)));
  return 0;
}

function jailInside({ argv: [, path = '', name = ''], process }: ProgramContext): number {
  return jailBy(process, name, path);
}

function jexecInside({ argv: [, jid], process }: ProgramContext): number {
  process.jailAttach(Number(jid));
  return 0;
}

/** sysctl(8) with names and `name=value`. */
export function sysctlTool(
  kernel: ModelKernel,
  process: ModelProcess,
  word: string,
): { output: string; status: number } {
  const [name = '', value] = word.split('=');
  if (value === undefined) return { output: showNodes(kernel, process, name), status: 0 };
  const before = showNode(process, name).trimEnd();
  try {
    process.sysctl(name, { value: encodeInt(Number(value)) });
    return { output: `${before} -> ${decodeInt(process.sysctl(name).bytes)}\n`, status: 0 };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const complaint = `sysctl: ${word}: ${errorText(error.code)}`;
    return { output: `${before}\n${complaint}\n`, status: 1 };
  }
}

function showNodes(kernel: ModelKernel, process: ModelProcess, name: string): string {
  const below = kernel.sysctlNodes(name).map((node) => node.name);
  const names = below.length === 0 ? [name] : below;
  return names.map((each) => showNode(process, each)).join('');
}

function showNode(process: ModelProcess, name: string): string {
  const { bytes } = process.sysctl(name);
  if (bytes.length === 0) return '';
  return `${name}: ${bytes.length === 4 ? decodeInt(bytes) : decodeString(bytes)}\n`;
}

// sh -c with commands one after the other, `$?` and exit: what the recorded scripts are made of.
async function shell({ argv, spawn }: ProgramContext): Promise<number> {
  let status = 0;
  for (const command of (argv[2] ?? '').split(';')) {
    const [file = '', ...args] = command.trim().replace('$?', String(status)).split(/\s+/);
    if (file === 'exit') return Number(args[0]);
    const child = spawn(file, args);
    await new Promise<void>((resolve) => child.entry.ended.push(resolve));
    await new Promise((resolve) => setImmediate(resolve)); // what it wrote has come through
    status = child.entry.exitStatus >> 8;
  }
  return status;
}
