// A job runner: runs shell commands, each in a jail of its own that lives for it alone, a few at a time, and shows what
// came of them. Without a file it runs a hundred of its own, of which some fail.
//
//   npm run example job-runner
//   npm run example job-runner -- commands.txt        one command a line
//
// AT_ONCE=8 in the environment has eight jails at a time. Exits with 1 when a job has failed.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Jail } from 'dragonfly-jail';
import { Deadline } from './shared/deadline.js';
import { printable } from './shared/printable.js';
import { Scratch } from './shared/scratch.js';

const TIMEOUT = 10_000; // ms for a job
const SHORTEST_SHOWN = 60; // characters of a command or of its output

/** What became of a job. */
interface Outcome {
  readonly number: number;
  readonly command: string;
  readonly ok: boolean;
  readonly end: string;
  readonly output: string;
  /** ms of the jail, from its making until it is gone. */
  readonly jailTime: number;
  /** ms of a processor. */
  readonly cpuTime: number;
  /** Bytes. */
  readonly memory: number;
}

// Every tenth fails, for the table to have something to show.
function hundredJobs(): string[] {
  const square = (n: number) => `echo "$((${n} * ${n})) on $(uname -n)"`;
  const fail = (n: number) => `echo "cannot do ${n}" >&2; exit 3`;
  return Array.from({ length: 100 }, (_, i) => (i % 10 === 9 ? fail(i) : square(i)));
}

function commandsOf(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** Does the work for all items, at most `atOnce` at a time; the results have the items' order. */
async function inTurns<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const waiting = items.entries();
  // All hands take from the same pile: none waits for another.
  const hand = async () => {
    for (const [index, item] of waiting) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, hand));
  return results;
}

// What cannot be run is the outcome of that one job; the others go on.
async function runJob(scratch: Scratch, command: string, index: number): Promise<Outcome> {
  const number = index + 1;
  const start = performance.now();
  try {
    const outcome = await runInJail(scratch, command, number);
    return { number, command, ...outcome, jailTime: performance.now() - start };
  } catch (error) {
    const { message } = error as Error;
    const jailTime = performance.now() - start;
    const nothing = { output: message, cpuTime: 0, memory: 0 };
    return { number, command, ok: false, end: 'no jail', ...nothing, jailTime };
  }
}

async function runInJail(scratch: Scratch, command: string, number: number) {
  // A root of its own: what one job leaves behind, the next does not find.
  const root = await scratch.root(`job-${number}`);
  await using jail = await Jail.create({ ...root, hostname: `job-${number}` });
  using deadline = new Deadline(jail, TIMEOUT);
  const { stdout, stderr, exitCode, signal, usage } = await jail.exec('sh', ['-c', command]);
  await jail.stop({ graceMs: 0 });
  return {
    ok: exitCode === 0,
    end: deadline.passed ? 'too slow' : (signal ?? `exit ${exitCode}`),
    output: stdout + stderr,
    cpuTime: usage.userTime + usage.systemTime,
    memory: usage.maxRss,
  };
}

function row({ number, end, jailTime, cpuTime, memory, command, output }: Outcome): string {
  const numbers = [
    `${number}`.padStart(3),
    end.padEnd(8),
    `${jailTime.toFixed(0)} ms`.padStart(8),
    `${cpuTime.toFixed(1)} ms`.padStart(9),
    `${(memory / 2 ** 20).toFixed(1)} MiB`.padStart(9),
  ];
  const said = printable(output.trim(), SHORTEST_SHOWN).replaceAll('\n', ' ');
  return `${numbers.join('  ')}  ${said || printable(command, SHORTEST_SHOWN)}`;
}

async function runAll(commands: readonly string[], atOnce: number): Promise<Outcome[]> {
  using scratch = new Scratch();
  // Awaited here: the folder is removed when this function is left.
  return await inTurns(commands, atOnce, (command, index) => runJob(scratch, command, index));
}

const [file] = process.argv.slice(2);
const commands = file === undefined ? hundredJobs() : commandsOf(file);
const atOnce = Number(process.env.AT_ONCE ?? 2 * availableParallelism());
const start = performance.now();
const outcomes = await runAll(commands, atOnce);
const seconds = ((performance.now() - start) / 1000).toFixed(1);

console.log('job  end          jail        CPU     memory  what it wrote');
for (const outcome of outcomes) console.log(row(outcome));
const failed = outcomes.filter(({ ok }) => !ok).length;
console.log(`${outcomes.length} jobs in ${seconds} s, ${atOnce} at a time: ${failed} failed`);
if (failed > 0) process.exitCode = 1;
