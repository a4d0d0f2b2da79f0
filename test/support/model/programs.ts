import type { ModelKernel, Program, ProgramContext } from 'dragonfly-jail/testing';
import { format } from './printf.js';
import { sh } from './shell.js';
import { readAll } from './streams.js';
import { evaluate } from './test-expression.js';

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
  rm: (context) => eachFile(context, (path) => context.process.unlink(path)),
  mkdir: (context) => eachFile(context, (path) => context.process.create(path, 'directory')),
  mkfifo: (context) => eachFile(context, (path) => context.process.create(path, 'fifo')),
  ls: ({ argv, process, stdout }) =>
    void stdout.write(
      process
        .readdir(argv[1] ?? '.')
        .sort()
        .map((name) => `${name}\n`)
        .join(''),
    ),
  stat: statOwners,
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

async function yes({ stdout, ended, process }: ProgramContext): Promise<void> {
  stdout.on('error', () => process.hasEnded || process.kill(process.pid, 13));
  while (!ended.aborted) {
    if (!stdout.write('y\n'.repeat(1024)))
      await new Promise((resolve) => stdout.once('drain', resolve));
  }
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

// `stat -c %u FILE…`
function statOwners(context: ProgramContext): number {
  const files = { ...context, argv: context.argv.slice(2) };
  return eachFile({ ...context, argv: files.argv }, (path) => {
    context.stdout.write(`${context.process.stat(path).uid}\n`);
  });
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
      stderr.write(`${argv[0]}: ${path}: ${(error as Error).message}\n`);
      code = 1;
    }
  }
  return code;
}
