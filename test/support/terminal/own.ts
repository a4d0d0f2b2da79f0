import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { makeProgram } from '../compiled.js';
import { Screen } from './screen.js';
import type { ScreenOptions, Window, WindowOptions } from './window.js';

const KEYS: Readonly<Record<string, string>> = {
  Enter: '\r',
  BSpace: '\x7f',
  Up: '\x1b[A',
  Down: '\x1b[B',
};

const folder = mkdtempSync(join(tmpdir(), 'dfjail-terminal-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let program: { file: string; problem: string | null } | undefined;

/** Why there can be none; null: there can. */
export function whyNoOwnTerminal(): string | null {
  return ownProgram().problem;
}

function ownProgram(): { file: string; problem: string | null } {
  if (program === undefined) {
    const file = join(folder, 'terminal');
    program = { file, problem: makeProgram('terminal', file) };
  }
  return program;
}

/** A window of the tests' own: test/behaviour/programs/terminal.c has the terminal, and what is shown is reckoned here. */
export class OwnWindow implements Window {
  readonly #child: ChildProcess;
  readonly #screen: Screen;

  private constructor({ env, columns, rows, command }: WindowOptions) {
    this.#screen = new Screen(columns, rows);
    const args = [`${columns}`, `${rows}`, '/bin/sh', '-c', `exec ${command}`];
    const stdio = ['pipe', 'pipe', 'inherit', 'pipe'] as const;
    this.#child = spawn(ownProgram().file, args, {
      env: { ...env, TERM: 'xterm' },
      stdio: [...stdio],
    });
    const decoder = new StringDecoder('utf8');
    (this.#child.stdout as Readable).on('data', (data) => this.#screen.write(decoder.write(data)));
    this.#child.stdin?.on('error', () => {}); // it is gone
  }

  static async open(options: WindowOptions): Promise<OwnWindow> {
    const window = new OwnWindow(options);
    await once(window.#child, 'spawn');
    return window;
  }

  async write(text: string): Promise<void> {
    (this.#child.stdin as Writable).write(text);
  }

  async press(keys: readonly string[]): Promise<void> {
    await this.write(keys.map(keyOf).join(''));
  }

  async resize(columns: number, rows: number): Promise<void> {
    this.#screen.resize(columns, rows);
    (this.#child.stdio[3] as Writable).write(`${columns} ${rows}\n`);
  }

  async screen(options: ScreenOptions): Promise<string> {
    return this.#screen.text(options);
  }

  /** Whoever is on it is hung up. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin?.end();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

function keyOf(name: string): string {
  const [, letter] = /^C-([a-z])$/.exec(name) ?? [];
  return letter === undefined
    ? (KEYS[name] ?? name)
    : String.fromCharCode(letter.charCodeAt(0) - 96);
}
