import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './environment.js';
import { Snapshot } from './leaks.js';

const EXAMPLES = new URL('../../examples/', import.meta.url);

/** How an example ended. */
export interface ExampleEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of examples/, started as its users do, but compiled already. */
export class Example implements AsyncDisposable {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  readonly ended: Promise<ExampleEnd>;

  constructor(name: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    const file = fileURLToPath(new URL(`${name}.js`, EXAMPLES));
    const options = { env: { ...process.env, ...env }, stdio: 'pipe' } as const;
    const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], options);
    child.stdin.end();
    child.stdout.on('data', (chunk) => {
      this.#stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.#child = child;
    this.ended = once(child, 'close').then(([code, signal]) => ({
      ...{ code, signal },
      ...{ stdout: this.#stdout, stderr: this.#stderr },
    }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until it has written a line like this. */
  async line(expected: RegExp, milliseconds = 15_000): Promise<RegExpMatchArray> {
    await eventually(() => {
      const gone = this.#child.exitCode ?? this.#child.signalCode;
      const said = `${this.#stdout}${this.#stderr}${gone === null ? '' : `ended: ${gone}`}`;
      assert.match(said, expected);
    }, milliseconds);
    return expected.exec(this.#stdout) as RegExpMatchArray;
  }

  /** Asks it to end, as a service manager does. */
  async end(): Promise<ExampleEnd> {
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Runs one to its end. */
export async function runExample(name: string, args: readonly string[] = []): Promise<ExampleEnd> {
  await using example = new Example(name, args);
  return await example.ended;
}

const FOLDER = 'dragonfly-jail-example-';

function folders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(FOLDER));
}

/** Call it in `describe`: each test fails unless its examples have left nothing. */
export function leaveNothing(): void {
  let before: Snapshot;
  let foldersBefore: string[];
  beforeEach(() => {
    before = new Snapshot(join(tmpdir(), FOLDER));
    foldersBefore = folders();
  });
  afterEach(async () => {
    await before.assertNothingLeft();
    assert.deepEqual(folders(), foldersBefore, 'folders are left');
  });
}
