import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cliEnvironment, dfjailPath } from './cli-process.js';
import { eventually } from './environment.js';

const run = promisify(execFile);
const PATIENCE = 15_000;
const PROMPT = 'ready> ';

interface ScreenOptions {
  readonly colours?: boolean;
  readonly whole?: boolean;
}

/** Is there a tmux that can be used? */
export function hasTmux(): boolean {
  return spawnSync('tmux', ['-V']).status === 0;
}

/** A shell in a real terminal, with keys to press and a screen to look at. `$D` is dfjail. */
export class Terminal implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dfjail-tmux-'));
  readonly #env: NodeJS.ProcessEnv;
  #asked = 0;

  private constructor(env: Record<string, string>) {
    // Only C and UTF-8 are sure to be there everywhere.
    this.#env = {
      ...cliEnvironment(env),
      TERM: 'xterm-256color',
      LC_ALL: 'C.UTF-8',
      // tmux runs commands by the shell of who calls, and that of nobody lets no one in.
      SHELL: '/bin/sh',
      D: dfjailPath,
    };
    delete this.#env.TMUX;
    delete this.#env.NO_COLOR;
  }

  /**
   * Opens one.
   *
   * @param env for the shell
   * @param columns of the window
   * @param rows of the window
   */
  static async open(env: Record<string, string>, columns = 100, rows = 30): Promise<Terminal> {
    const terminal = new Terminal(env);
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    await terminal.#tmux('new-session', '-d', ...size, `env PS1='${PROMPT}' sh`);
    await terminal.shows(/^ready> ?$/m);
    return terminal;
  }

  async #tmux(...args: string[]): Promise<string> {
    const socket = join(this.#folder, 'socket');
    const { stdout } = await run('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      env: this.#env,
    });
    return stdout;
  }

  /** Types a line. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
    await this.press('Enter');
  }

  /** Presses keys by their names in tmux(1): `C-c`, `Up`, `q`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** What is on the screen, with or without the sequences of colours; lines that the window broke are whole or not. */
  screen({ colours = false, whole = true }: ScreenOptions = {}): Promise<string> {
    return this.#tmux('capture-pane', '-p', ...(whole ? ['-J'] : []), ...(colours ? ['-e'] : []));
  }

  /** Waits until the screen shows it. */
  async shows(pattern: RegExp, options?: ScreenOptions): Promise<string> {
    let screen = '';
    await eventually(async () => {
      screen = await this.screen(options);
      if (!pattern.test(screen)) throw new Error(`not shown: ${pattern}\n${screen}`);
    }, PATIENCE);
    return screen;
  }

  /** Runs a command line at the prompt of the shell and gives what it printed. */
  async ask(command: string): Promise<string> {
    const mark = `end${++this.#asked}`;
    await this.type(`clear; ${command}; echo "[${mark} $?]"`);
    const end = new RegExp(`^\\[${mark} [0-9]+\\]$`, 'm');
    const screen = await this.shows(end);
    return screen.slice(0, screen.search(end)).trim();
  }

  /** How the terminal is set, in the words of stty(1); its size is no part of it. */
  settings(): Promise<string> {
    return this.ask('stty -g');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server').catch(() => {});
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
