// The program that is run in the world of a document: it does the steps that it reads from stdin, one after the other,
// ends what jails they have left, and writes what came of them to stdout as JSON.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Jail, listJails } from 'dragonfly-jail';

/** A program to be run. */
export interface Step {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly input?: string;
  /** Lines of sh(1) that are run first; they must not fail. */
  readonly before?: readonly string[];
  /** A line of sh(1) that is run while the program runs, again and again. */
  readonly during?: string;
  /** Which signal ends it: when it has written this, or after so many ms. */
  readonly ended?: { readonly signal: NodeJS.Signals; readonly after: string | number } | null;
}

/** What came of a step. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIME = 40_000;
const START = 1500; // for a dfjail to have begun

async function perform(step: Step): Promise<Outcome> {
  for (const line of step.before ?? []) prepare(line);
  const [file = '', ...args] = step.argv;
  const child = spawn(file, args, { cwd: step.cwd, detached: true });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      written[name] += chunk;
      endWhenSaid(child, step, written.stdout + written.stderr);
    });
  }
  child.stdin.on('error', () => {}); // it may have ended without reading
  child.stdin.end(step.input ?? '');
  const timers = [setTimeout(() => signalGroup(child, 'SIGKILL'), TIME)];
  const { ended, during } = step;
  if (typeof ended?.after === 'number') {
    timers.push(setTimeout(() => signalGroup(child, ended.signal), ended.after));
  }
  // Again and again: the first may come before the program has begun to look.
  if (during !== undefined) timers.push(setInterval(() => prepare(during), START));
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      timers.forEach(clearTimeout);
      resolve({ code, signal, ...written });
    });
  });
}

function endWhenSaid(child: ChildProcess, { ended }: Step, written: string): void {
  if (typeof ended?.after === 'string' && written.includes(ended.after)) {
    signalGroup(child, ended.signal);
  }
}

// As the terminal does it at Ctrl-C.
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, signal);
}

function prepare(line: string): void {
  const { status, stderr, stdout } = spawnSync('sh', ['-c', line], {
    encoding: 'utf8',
    timeout: TIME,
  });
  if (status !== 0) throw new Error(`${line}: ${stderr}${stdout}`);
}

async function endAll(): Promise<void> {
  for (const { jid } of listJails()) {
    const jail = await Jail.open(jid).catch(() => null); // it may have ended meanwhile
    await jail?.stop({ graceMs: 0 });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const steps = JSON.parse(await text(process.stdin)) as Step[];
  const outcomes: Outcome[] = [];
  try {
    for (const step of steps) outcomes.push(await perform(step));
  } finally {
    await endAll();
  }
  process.stdout.write(JSON.stringify(outcomes));
}
