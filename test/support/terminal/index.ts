import { cliEnvironment, dfjailPath } from '../cli-process.js';
import { eventually } from '../environment.js';
import { OwnWindow, whyNoOwnTerminal } from './own.js';
import { hasTmux, TmuxWindow } from './tmux.js';
import type { ScreenOptions, Window } from './window.js';

const PATIENCE = 15_000;
const PROMPT = 'ready> ';
// tmux where it is installed; DFJAIL_TEST_TERMINAL=own takes the other one all the same.
const byTmux = process.env.DFJAIL_TEST_TERMINAL !== 'own' && hasTmux();

/** Why there can be no terminal; null: there can. */
export function whyNoTerminal(): string | null {
  return byTmux ? null : whyNoOwnTerminal();
}

/** A shell in a real terminal, with keys to press and a screen to look at. `$D` is dfjail. */
export class Terminal implements AsyncDisposable {
  readonly #window: Window;
  #asked = 0;

  private constructor(window: Window) {
    this.#window = window;
  }

  /**
   * Opens one.
   *
   * @param env for the shell
   * @param columns of the window
   * @param rows of the window
   */
  static async open(env: Record<string, string>, columns = 100, rows = 30): Promise<Terminal> {
    const command = `env PS1='${PROMPT}' sh`;
    const options = { env: environment(env), columns, rows, command };
    const window = await (byTmux ? TmuxWindow : OwnWindow).open(options);
    const terminal = new Terminal(window);
    await terminal.shows(/^ready> ?$/m);
    // Whatever there is of clear(1) and of its data base.
    await terminal.type("clear() { printf '\\033[H\\033[2J'; }; clear");
    await terminal.shows(/^ready> ?\n*$/);
    return terminal;
  }

  /** Types a line. */
  async type(text: string): Promise<void> {
    await this.#window.write(text);
    await this.press('Enter');
  }

  /** Presses keys by their names in tmux(1): `C-c`, `Up`, `q`. */
  async press(...keys: string[]): Promise<void> {
    await this.#window.press(keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#window.resize(columns, rows);
  }

  /** What is on the screen, with or without the sequences of colours; lines that the window broke are whole or not. */
  screen(options: ScreenOptions = {}): Promise<string> {
    return this.#window.screen(options);
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
    await this.#window.close();
  }
}

function environment(env: Record<string, string>): NodeJS.ProcessEnv {
  const all: NodeJS.ProcessEnv = {
    ...cliEnvironment(env),
    TERM: 'xterm-256color',
    // Only C and UTF-8 are sure to be there everywhere.
    LC_ALL: 'C.UTF-8',
    // tmux runs commands by the shell of who calls, and that of nobody lets no one in.
    SHELL: '/bin/sh',
    D: dfjailPath,
  };
  delete all.NO_COLOR;
  return all;
}
