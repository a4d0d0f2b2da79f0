import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { JailSpec } from 'dragonfly-jail';
import { onlyInThisProgram, packageUrl, within } from './environment.js';
import { descendants, type HostProcess } from './host.js';

const PATIENCE = 30_000;

interface ProgramOptions {
  readonly flags?: string[];
  readonly quiet?: boolean;
  readonly by?: string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Another Node program that uses the package: what it prints as JSON lines can be read, and it can be killed. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  /**
   * @param source the body of an ES module; has the package's exports as `dfjail`, `spec`, and `say(value)`
   * @param spec   a jail's specification for it
   * @param options flags of Node; quiet: its stderr is not shown; by: the program that starts it, with arguments; env
   */
  constructor(source: string, spec: JailSpec, options: ProgramOptions = {}) {
    onlyInThisProgram('another Node program');
    const argv = [...(options.flags ?? []), '--input-type=module', '-e', prelude(spec) + source];
    const stderr = options.quiet ? 'ignore' : 'inherit';
    const [file = '', ...args] = [...(options.by ?? [process.execPath]), ...argv];
    const env = { ...process.env, ...options.env };
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', stderr], env });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    assert(this.#child.pid !== undefined, 'the program did not start');
    return this.#child.pid;
  }

  /** The next thing that it says. */
  async next<T>(): Promise<T> {
    const line = await within('the next line of a program', PATIENCE, this.#lines.next());
    assert(!line.done, 'the program ended without saying what it should');
    return JSON.parse(line.value);
  }

  /** Everything else that it prints, as it is. */
  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.#lines.next(); !line.done; line = await this.#lines.next()) {
      lines.push(line.value);
    }
    return lines;
  }

  /** Wakes it up where it waits, once, for `heard()`. */
  tell(): void {
    this.#child.stdin.write('\n');
  }

  /** Kills it as the kernel would, without a word; gives the processes that it had below it. */
  async kill(): Promise<HostProcess[]> {
    process.kill(this.pid, 'SIGSTOP');
    const family = descendants(this.pid);
    process.kill(this.pid, 'SIGKILL');
    await this.ended;
    return family;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
    }
    await this.ended;
  }
}

/** What every program begins with. */
export function prelude(spec: JailSpec): string {
  return `
    import * as dfjail from ${JSON.stringify(packageUrl)};
    import { setTimeout as sleep } from 'node:timers/promises';
    import { writeSync } from 'node:fs';
    const { Jail } = dfjail;
    const spec = ${JSON.stringify(spec)};
    const say = (value) => writeSync(1, JSON.stringify(value) + '\\n');
    const heard = () => new Promise((done) => process.stdin.once('data', () => { process.stdin.destroy(); done(); }));
  `;
}

/** What the script of a worker thread begins with: the package is there once `loaded` is. */
export function workerPrelude(spec: JailSpec): string {
  onlyInThisProgram('worker threads');
  return `
    const { parentPort } = require('node:worker_threads');
    const spec = ${JSON.stringify(spec)};
    let Jail;
    const loaded = import(${JSON.stringify(packageUrl)}).then((all) => { Jail = all.Jail; });`;
}
