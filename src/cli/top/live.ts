import { exitCodes, signalExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { paint } from '../output/colours.js';
import { rawMode } from '../session/raw-mode.js';
import type { SortKey } from './order.js';
import { type Sample, Sampler } from './sampler.js';
import { screenLines, type ViewState } from './view.js';

const ENTER = '\x1b[?1049h\x1b[?25l'; // the other screen, no cursor
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';
const CTRL_C = '\x03';
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const SORT_BY: Readonly<Record<string, SortKey>> = {
  c: 'cpu',
  m: 'memory',
  p: 'processes',
  t: 'threads',
  n: 'name',
  j: 'jid',
};

/**
 * Shows jails on a terminal until q is pressed.
 *
 * @param io with a terminal as stdout
 * @param start how they are shown at first
 * @param intervalMs how often to look
 * @returns the exit code
 */
export function showLive(io: Io, start: ViewState, intervalMs: number): Promise<number> {
  return new Promise((resolve, reject) => new LiveView(io, start, intervalMs, resolve, reject));
}

class LiveView {
  readonly #io: Io;
  readonly #sampler = new Sampler();
  readonly #endings: (() => void)[] = [];
  readonly #resolve: (code: number) => void;
  readonly #reject: (error: unknown) => void;
  #state: ViewState;
  #sample: Sample;

  constructor(
    io: Io,
    start: ViewState,
    intervalMs: number,
    resolve: (code: number) => void,
    reject: (error: unknown) => void,
  ) {
    this.#io = io;
    this.#state = start;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#sample = this.#sampler.next(); // an error here is before anything was done to the terminal
    this.#takeScreen();
    this.#listen();
    const timer = setInterval(() => this.#look(), intervalMs);
    this.#endings.push(() => clearInterval(timer));
    this.#draw();
  }

  #takeScreen(): void {
    const { stdout, process } = this.#io;
    const leave = () => void stdout.write(LEAVE);
    stdout.write(ENTER);
    const forget = process?.onExit(leave); // whatever happens
    this.#endings.push(() => {
      forget?.();
      leave();
    });
  }

  #listen(): void {
    const { stdin, stdout } = this.#io;
    const raw = rawMode(this.#io);
    const onKeys = (keys: Buffer) => this.#press(keys.toString('latin1'));
    const onResize = () => this.#draw();
    stdin.on('data', onKeys);
    stdout.on('resize', onResize);
    const stops = ENDING.map((signal) =>
      this.#io.onSignal(signal, () => this.#end(signalExitCode(signal))),
    );
    const stopContinue = this.#io.onSignal('SIGCONT', () => {
      raw.again();
      this.#draw();
    });
    this.#endings.push(() => {
      for (const stop of [...stops, stopContinue]) stop();
      stdin.off('data', onKeys);
      stdout.off('resize', onResize);
      stdin.pause();
      raw.restore();
    });
  }

  #press(keys: string): void {
    for (const key of keys) {
      if (key === 'q' || key === CTRL_C) {
        this.#end(key === 'q' ? exitCodes.ok : signalExitCode('SIGINT'));
        return;
      }
      const sort = SORT_BY[key];
      if (sort !== undefined) this.#state = { sort, reverse: false };
      if (key === 'r') this.#state = { ...this.#state, reverse: !this.#state.reverse };
    }
    this.#draw();
  }

  #look(): void {
    try {
      this.#sample = this.#sampler.next();
      this.#draw();
    } catch (error) {
      this.#release();
      this.#reject(error);
    }
  }

  // Line by line over what was there: a screen that is cleared first flickers.
  #draw(): void {
    const { stdout, env } = this.#io;
    const size = { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 };
    const lines = screenLines(this.#sample, this.#state, size, paint(stdout, env));
    stdout.write(HOME + lines.map((line) => line + REST_OF_LINE).join('\r\n') + REST_OF_SCREEN);
  }

  #end(code: number): void {
    this.#release();
    this.#resolve(code);
  }

  #release(): void {
    for (const end of this.#endings.splice(0).reverse()) end();
  }
}
