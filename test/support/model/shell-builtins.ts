import type { Writable } from 'node:stream';
import { layout59 } from '#internal/backends/dragonfly/layout-5.9.js';
import { format } from './printf.js';
import { Exit, type Shell, type Streams } from './shell.js';
import { readLine } from './streams.js';
import { strerror } from './strerror.js';
import { evaluate } from './test-expression.js';

/** A command that the shell runs itself. @returns its exit code */
type Builtin = (
  shell: Shell,
  args: readonly string[],
  streams: Streams,
) => number | Promise<number>;

const LIMITS: Readonly<Record<string, string>> = {
  n: 'nofile',
  c: 'core',
  t: 'cpu',
  f: 'fsize',
  u: 'nproc',
};

/** By their names. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', () => 0],
  ['true', () => 0],
  ['false', () => 1],
  ['echo', (_shell, args, { stdout }) => say(stdout, `${args.join(' ')}\n`)],
  ['printf', (_shell, args, { stdout }) => say(stdout, format(args))],
  ['pwd', (shell, _args, { stdout }) => say(stdout, `${shell.context.cwd}\n`)],
  ['cd', cd],
  ['exit', (shell, args) => exit(shell, args)],
  ['exec', exec],
  ['read', read],
  ['trap', trap],
  ['wait', wait],
  ['kill', kill],
  ['test', (shell, args) => (evaluate(shell.process, args) ? 0 : 1)],
  ['[', (shell, args) => (evaluate(shell.process, args.slice(0, -1)) ? 0 : 1)],
  ['ulimit', ulimit],
]);

function say(stream: Writable, text: string | Buffer): number {
  stream.write(text);
  return 0;
}

function exit({ status }: Shell, [code]: readonly string[]): never {
  throw new Exit(code === undefined ? status : Number(code));
}

function cd(shell: Shell, [given]: readonly string[], { stderr }: Streams): number {
  const path = given ?? shell.variables.get('HOME') ?? '/';
  try {
    shell.process.chdir(path);
    return 0;
  } catch (error) {
    stderr.write(`cd: ${path}: ${strerror(error)}\n`);
    return 1;
  }
}

// With redirections alone it would change the shell's own streams, which no script here does.
async function exec(shell: Shell, args: readonly string[], streams: Streams): Promise<number> {
  const [file = '', ...others] = args;
  try {
    const result = await shell.context.exec(file, others, { env: shell.env, ...streams });
    shell.replaced = typeof result === 'number' ? result : 0;
    throw new Exit(shell.replaced as number);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    streams.stderr.write(`sh: exec: ${file}: not found\n`);
    throw new Exit(127);
  }
}

async function read(
  shell: Shell,
  [name = 'REPLY']: readonly string[],
  streams: Streams,
): Promise<number> {
  const line = await readLine(streams.stdin);
  shell.variables.set(name, line ?? '');
  return line === null ? 1 : 0;
}

function trap(shell: Shell, [action = '', ...names]: readonly string[]): number {
  for (const name of names) shell.trap(action, name.replace(/^SIG/, ''));
  return 0;
}

async function wait(shell: Shell): Promise<number> {
  for (const child of shell.background.splice(0)) await shell.waitFor(child);
  return 0;
}

function kill(shell: Shell, args: readonly string[], { stderr }: Streams): number {
  const [first = '', ...others] = args;
  const named = first.startsWith('-') && others.length > 0;
  const signal = named ? signalOf(first.slice(1)) : signalOf('TERM');
  let status = 0;
  for (const target of named ? others : args) {
    try {
      shell.process.kill(Number(target), signal);
    } catch (error) {
      stderr.write(`sh: kill: ${strerror(error)}\n`);
      status = 1;
    }
  }
  return status;
}

function signalOf(text: string): number {
  return /^\d+$/.test(text)
    ? Number(text)
    : (layout59.signals[`SIG${text.replace(/^SIG/, '')}`] ?? -1);
}

function ulimit(shell: Shell, args: readonly string[], { stdout }: Streams): number {
  const flags = args.join('').replace(/-/g, '');
  const hard = flags.includes('H');
  const name = LIMITS[flags.replace(/[SH]/g, '')] ?? 'fsize';
  const limit = shell.process.entry.limits.get(name);
  const value = hard ? limit?.hard : limit?.soft;
  return say(stdout, value === undefined || value >= 2n ** 63n - 1n ? 'unlimited\n' : `${value}\n`);
}
