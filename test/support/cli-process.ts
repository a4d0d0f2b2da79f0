import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onlyInThisProgram, packageUrl } from './environment.js';

/** The program that users call. */
export const dfjailPath = fileURLToPath(new URL('./cli/main.js', packageUrl));

/** The environment in which the program is found by its name, with the same Node. */
export function cliEnvironment(env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  return { ...process.env, PATH: path, ...env };
}

/** The temporary roots that there are with this TMPDIR; the folder for them stays. */
export function temporaryRoots(temporary: string): string[] {
  const folder = join(temporary, `dfjail-roots-${process.geteuid?.()}`);
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** How the program ended. */
export interface CliEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The program `dfjail`, running, with pipes. */
export class CliProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #written = { stdout: '', stderr: '' };
  readonly ended: Promise<CliEnd>;

  constructor(argv: readonly string[], env?: Record<string, string>) {
    onlyInThisProgram('dfjail as a program');
    this.#child = spawn(dfjailPath, argv, { stdio: 'pipe', env: cliEnvironment(env) });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name].on('data', (chunk: Buffer) => {
        this.#written[name] += chunk;
      });
    }
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({
      code,
      signal,
      ...this.#written,
    }));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('dfjail did not start');
    return this.#child.pid;
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  get stdout(): Readable {
    return this.#child.stdout;
  }

  /** What it has written to stdout so far. */
  get text(): string {
    return this.#written.stdout;
  }

  /** What it has written to stderr so far. */
  get errors(): string {
    return this.#written.stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Runs `dfjail` to its end. */
export async function runDfjail(
  argv: readonly string[],
  { input = '', env }: { input?: string; env?: Record<string, string> } = {},
): Promise<CliEnd> {
  const program = new CliProcess(argv, env);
  program.stdin.on('error', () => {});
  program.stdin.end(input);
  return program.ended;
}
