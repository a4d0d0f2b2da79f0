// A build sandbox: compiles a C file that nobody has looked at, and runs what came of it. Neither the compiler nor the
// program has a network, sees a file of the host's but its programs, or goes on for longer than it may.
//
//   npm run example build-sandbox -- hello.c [ARGUMENT ...]
//
// Exits with 0 when the program did, with 1 when it did not compile, with 2 when the program failed. It takes a C
// compiler: cc.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jail, type JailError, type Limits, probe } from 'dragonfly-jail';
import { Deadline } from './shared/deadline.js';
import { printable } from './shared/printable.js';
import { type RootSpec, Scratch } from './shared/scratch.js';

const MiB = 2 ** 20;

/** What one stage may use. */
interface Bounds {
  /** ms, for everything in the jail together. */
  readonly time: number;
  /** Bytes that it may write to stdout, or to stderr. */
  readonly output: number;
  /** Of each process. */
  readonly limits: Limits;
  /** Of all processes together, where the system can count that. */
  readonly whole: Limits;
}

const COMPILING: Bounds = {
  time: 20_000,
  output: 16 * MiB,
  limits: { cpu: 10, as: 1024 * MiB, fsize: 64 * MiB, nofile: 64, nproc: 64, core: 0 },
  whole: { memory: 512 * MiB, processes: 32 },
};
const RUNNING: Bounds = {
  time: 5_000,
  output: MiB,
  limits: { cpu: 2, as: 256 * MiB, fsize: MiB, nofile: 32, nproc: 16, core: 0 },
  whole: { memory: 64 * MiB, processes: 16 },
};

/** How a command ended. */
interface End {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** In words; null: with exit code 0. */
  readonly failure: string | null;
  /** ms. */
  readonly took: number;
}

const { features } = probe();
const has = (name: string) => features[name]?.available === true;

// What cannot be limited here would be refused. The limits of single processes are there everywhere.
function limitsOf({ limits, whole }: Bounds): Limits {
  const { memory, processes } = whole;
  return {
    ...limits,
    ...(memory !== undefined && has('memoryLimit') ? { memory } : {}),
    ...(processes !== undefined && has('processLimit') ? { processes } : {}),
  };
}

class Sandbox {
  readonly #scratch: Scratch;

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** Compiles a file; the program, or null. */
  async compile(source: Buffer): Promise<Buffer | null> {
    const root = await this.#scratch.root('compile');
    writeFileSync(join(root.path, 'home', 'source.c'), source, { mode: 0o644 });
    // The program comes out through a pipe. Its file is never opened from outside: a jail may put a link there, which
    // leads to a file of the host.
    const script = 'cc -O1 -o /tmp/program source.c >&2 && cat /tmp/program';
    const end = await this.#run(root, ['sh', '-c', script], COMPILING);
    report('compiler', end, '');
    return end.failure === null ? end.stdout : null;
  }

  /** Runs a program in another jail: what the compiler left behind is not there. Did it exit with 0? */
  async run(program: Buffer, args: readonly string[]): Promise<boolean> {
    const root = await this.#scratch.root('run');
    writeFileSync(join(root.path, 'home', 'program'), program, { mode: 0o755 });
    const end = await this.#run(root, ['/home/program', ...args], RUNNING);
    report('program', end, end.stdout.toString());
    return end.failure === null;
  }

  async #run(root: RootSpec, command: readonly string[], bounds: Bounds): Promise<End> {
    await using jail = await Jail.create({
      ...root,
      hostname: 'sandbox',
      limits: limitsOf(bounds),
    });
    using deadline = new Deadline(jail, bounds.time);
    const start = performance.now();
    const end = await execute(jail, command, bounds);
    const failure = deadline.passed ? `was not done in ${bounds.time / 1000} s` : end.failure;
    await jail.stop({ graceMs: 0 });
    return { ...end, failure, took: performance.now() - start };
  }
}

async function execute(
  jail: Jail,
  [file = '', ...args]: readonly string[],
  { output }: Bounds,
): Promise<Omit<End, 'took'>> {
  try {
    const { stdout, stderr, exitCode, signal } = await jail.exec(file, args, {
      cwd: '/home',
      encoding: 'buffer',
      maxBuffer: output,
      // Not even the jail's root, where the jail has other users.
      ...(has('users') ? { user: 'nobody' } : {}),
    });
    const failure = exitCode === 0 ? null : `ended by ${signal ?? `exit code ${exitCode}`}`;
    return { stdout, stderr: stderr.toString(), failure };
  } catch (error) {
    // It did not start, or wrote too much, or the jail ended before it began.
    const failure = `failed: ${(error as JailError).message}`;
    return { stdout: Buffer.alloc(0), stderr: '', failure };
  }
}

// Everything that comes from the jail may be meant for the terminal, to do something there.
function report(who: string, { stderr, failure, took }: End, stdout: string): void {
  console.log(`the ${who} ${failure ?? `ended well after ${Math.round(took)} ms`}`);
  for (const line of printable(stdout + stderr).split('\n')) {
    if (line !== '') console.log(`  | ${line}`);
  }
}

async function build([file, ...args]: readonly string[]): Promise<number> {
  if (file === undefined) throw new Error('Which C file?');
  using scratch = new Scratch();
  const sandbox = new Sandbox(scratch);
  const program = await sandbox.compile(readFileSync(file));
  if (program === null) return 1;
  return (await sandbox.run(program, args)) ? 0 : 2;
}

process.exitCode = await build(process.argv.slice(2));
