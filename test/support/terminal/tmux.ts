import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ScreenOptions, Window, WindowOptions } from './window.js';

const run = promisify(execFile);

/** Is there a tmux that can be used? */
export function hasTmux(): boolean {
  return spawnSync('tmux', ['-V']).status === 0;
}

/** A window of tmux(1). */
export class TmuxWindow implements Window {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dfjail-tmux-'));
  readonly #env: NodeJS.ProcessEnv;

  private constructor(env: NodeJS.ProcessEnv) {
    this.#env = { ...env };
    delete this.#env.TMUX;
  }

  static async open({ env, columns, rows, command }: WindowOptions): Promise<TmuxWindow> {
    const window = new TmuxWindow(env);
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    await window.#tmux('new-session', '-d', ...size, command);
    return window;
  }

  async #tmux(...args: string[]): Promise<string> {
    const socket = join(this.#folder, 'socket');
    const { stdout } = await run('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      env: this.#env,
    });
    return stdout;
  }

  async write(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  async press(keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  screen({ colours = false, whole = true }: ScreenOptions): Promise<string> {
    return this.#tmux('capture-pane', '-p', ...(whole ? ['-J'] : []), ...(colours ? ['-e'] : []));
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {});
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
