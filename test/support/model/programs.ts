import {
  KernelError,
  type ModelKernel,
  type ModelProcess,
  type Program,
  type ProgramContext,
} from 'dragonfly-jail/testing';
import { addresses, callProgram, serve } from './network.js';
import { format } from './printf.js';
import { sh } from './shell.js';
import { readAll } from './streams.js';
import { strerror } from './strerror.js';
import { evaluate } from './test-expression.js';

const AF_INET = 2;
const STREAM = 1;
const FOLDERS = ['/bin', '/usr/bin'];

/** The programs of the behaviour suite, by their names: each acts by the model's system calls alone. */
const programs: Readonly<Record<string, Program>> = {
  sh,
  true: () => 0,
  false: () => 1,
  echo: ({ argv, stdout }) => void stdout.write(`${argv.slice(1).join(' ')}\n`),
  printf: ({ argv, stdout }) => void stdout.write(format(argv.slice(1))),
  pwd: ({ cwd, stdout }) => void stdout.write(`${cwd}\n`),
  env: ({ env, stdout }) => {
    for (const [name, value] of Object.entries(env)) stdout.write(`${name}=${value}\n`);
  },
  test: ({ argv, process }) => (evaluate(process, argv.slice(1)) ? 0 : 1),
  sleep,
  cat,
  wc,
  head,
  yes,
  touch: (context) =>
    eachFile(context, (path) => context.process.openForWriting(path, { append: true })),
  rm,
  mkdir,
  mv: ({ argv, process }) => process.rename(argv[1] ?? '', argv[2] ?? ''),
  mkfifo: (context) => eachFile(context, (path) => context.process.create(path, 'fifo')),
  ln: ({ argv, process }) => process.symlink(argv[2] ?? '', argv[3] ?? ''),
  grep,
  tail,
  stty,
  descriptors,
  listen,
  serve,
  addresses,
  ls: ({ argv, process, stdout }) =>
    void stdout.write(
      process
        .readdir(argv[1] ?? '.')
        .sort()
        .map((name) => `${name}\n`)
        .join(''),
    ),
  stat,
  uname: ({ process, stdout }) => void stdout.write(`${process.gethostname()}\n`),
  hostname,
  id,
  setsid: ({ process, argv, exec }) => {
    process.setsid();
    return exec(argv[1] ?? '', argv.slice(2));
  },
};

/** Puts the programs where scripts look for them. */
export function addPrograms(kernel: ModelKernel): void {
  for (const [name, program] of Object.entries(programs)) {
    for (const folder of FOLDERS) kernel.programs.add(`${folder}/${name}`, program);
  }
  kernel.programs.add('/usr/bin/call', callProgram(kernel));
}

async function sleep(context: ProgramContext): Promise<void> {
  await context.sleep(Number(context.argv[1]) * 1000);
}

async function cat(context: ProgramContext): Promise<number> {
  const { argv, stdin, stdout } = context;
  if (argv.length > 1)
    return eachFile(context, (path) => void stdout.write(context.process.readFile(path)));
  for await (const chunk of stdin) {
    if (!stdout.write(chunk)) await new Promise((resolve) => stdout.once('drain', resolve));
  }
  return 0;
}

async function wc({ argv, stdin, stdout }: ProgramContext): Promise<void> {
  const all = await readAll(stdin);
  const count = argv[1] === '-l' ? all.filter((byte) => byte === 10).length : all.length;
  stdout.write(`${count}\n`);
}

// `head -c N FILE`: of /dev/zero as many as wanted.
function head({ argv, process, stdout }: ProgramContext): void {
  const [, , count = '0', file = ''] = argv;
  const bytes = file === '/dev/zero' ? Buffer.alloc(Number(count)) : process.readFile(file);
  stdout.write(bytes.subarray(0, Number(count)));
}

async function yes({ stdout, ended }: ProgramContext): Promise<void> {
  while (!ended.aborted) {
    if (!stdout.write('y\n'.repeat(1024)))
      await new Promise((resolve) => stdout.once('drain', resolve));
  }
}

// `grep [-E] EXPRESSION FILE`
function grep({ argv, process, stdout }: ProgramContext): number {
  const [expression = '', file = ''] = argv.slice(argv[1] === '-E' ? 2 : 1);
  const lines = Buffer.from(process.readFile(file)).toString().split('\n');
  const found = lines.filter((line) => new RegExp(expression).test(line));
  for (const line of found) stdout.write(`${line}\n`);
  return found.length > 0 ? 0 : 1;
}

// `tail -n 1`
async function tail({ stdin, stdout }: ProgramContext): Promise<void> {
  const text = (await readAll(stdin)).toString();
  stdout.write(text.slice(text.lastIndexOf('\n', text.length - 2) + 1));
}

// `listen PORT [MS]`: after that time, until it is ended.
async function listen({ argv, process, sleep: wait, forever }: ProgramContext): Promise<never> {
  const [, port, delay] = argv;
  await wait(Number(delay ?? 0));
  const fd = process.socket(AF_INET, STREAM);
  process.bind(fd, { family: 'inet', address: '0.0.0.0', port: Number(port) });
  process.listen(fd);
  return forever();
}

// `stty size`
function stty({ terminal, stdout }: ProgramContext): number {
  if (terminal === null) return 1;
  stdout.write(`${terminal.size.rows} ${terminal.size.columns}\n`);
  return 0;
}

// What is open in this process: `0 pipe`
function descriptors({ process, stdout }: ProgramContext): void {
  for (const [fd, { kind }] of process.entry.files) stdout.write(`${fd} ${kind}\n`);
}

// `rm [-f] FILE…`
function rm(context: ProgramContext): number {
  const quiet = context.argv[1] === '-f';
  const argv = quiet ? context.argv.slice(1) : context.argv;
  return eachFile({ argv, stderr: context.stderr }, (path) => {
    try {
      context.process.unlink(path);
    } catch (error) {
      if (!quiet || (error as { code?: unknown }).code !== 'ENOENT') throw error;
    }
  });
}

function hostname({ argv, process, stdout }: ProgramContext): void {
  if (argv[1] === undefined) stdout.write(`${process.gethostname()}\n`);
  else process.sethostname(argv[1]);
}

function id({ argv, process, stdout }: ProgramContext): number {
  const { uid, gid, groups } = process.entry.credential;
  const flag = argv[1] ?? '';
  if (flag === '-u') stdout.write(`${uid}\n`);
  else if (flag === '-g') stdout.write(`${gid}\n`);
  else if (flag === '-G') stdout.write(`${[...new Set([gid, ...groups])].join(' ')}\n`);
  else if (flag === '-un') stdout.write(`${nameOf(process, uid)}\n`);
  else return 1;
  return 0;
}

function nameOf(process: ProgramContext['process'], uid: number): string {
  const lines = Buffer.from(process.readFile('/etc/passwd')).toString().split('\n');
  return (
    lines.map((line) => line.split(':')).find((fields) => Number(fields[2]) === uid)?.[0] ??
    `${uid}`
  );
}

// `stat -c %u FILE…`, or %a
function stat({ argv, process, stdout, stderr }: ProgramContext): number {
  return eachFile({ argv: argv.slice(2), stderr }, (path) => {
    const { uid, mode } = process.stat(path);
    stdout.write(argv[2] === '%a' ? `${mode.toString(8)}\n` : `${uid}\n`);
  });
}

function mkdir({ argv: [name = '', ...args], process, stderr }: ProgramContext): number {
  const withParents = args[0] === '-p';
  const argv = [name, ...(withParents ? args.slice(1) : args)];
  return eachFile({ argv, stderr }, (path) => {
    if (withParents) makeAll(process, path);
    else process.create(path, 'directory');
  });
}

function makeAll(process: ModelProcess, path: string): void {
  let at = path.startsWith('/') ? '' : '.';
  for (const part of path.split('/').filter((name) => name !== '')) {
    at += `/${part}`;
    try {
      process.create(at, 'directory');
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== 'EEXIST') throw error;
    }
  }
}

function eachFile(
  { argv, stderr }: Pick<ProgramContext, 'argv' | 'stderr'>,
  act: (path: string) => unknown,
): number {
  let code = 0;
  for (const path of argv.slice(1)) {
    try {
      act(path);
    } catch (error) {
      stderr.write(`${argv[0]}: ${path}: ${strerror(error)}\n`);
      code = 1;
    }
  }
  return code;
}
