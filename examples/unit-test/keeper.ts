import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Jail, type JailedProcess, type JailSpec, type ProcessExit } from 'dragonfly-jail';

/** What a {@link Keeper} keeps running. */
export interface Kept {
  readonly jail: JailSpec;
  readonly command: readonly [file: string, ...args: string[]];
  /** Attempts that may fail one after the other before the keeper gives up. */
  readonly attempts: number;
  /** ms before the second attempt; twice as long before each further one. */
  readonly delay: number;
}

/**
 * A supervisor as small as it can be, to show how one is tested: keeps a command running in a jail, and gives up when
 * that fails again and again. (One with everything comes with the package: dragonfly-jail/supervisor.)
 *
 * Events: `started` (pid), `ended` (how), `gave-up` (why).
 */
export class Keeper extends EventEmitter {
  readonly #kept: Kept;
  readonly #stopping = new AbortController();
  #command: JailedProcess | undefined;
  #work: Promise<void> | undefined;

  constructor(kept: Kept) {
    super();
    this.#kept = kept;
  }

  /** Makes the jail and starts the command; rejects when there can be no such jail. */
  async start(): Promise<void> {
    const jail = await Jail.create(this.#kept.jail);
    this.#work = this.#keep(jail).finally(() => jail.stop());
  }

  /** Ends the command and the jail. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#command?.kill('SIGTERM');
    await this.#work;
  }

  async #keep(jail: Jail): Promise<void> {
    const { attempts, delay } = this.#kept;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const failure = await this.#runOnce(jail);
      if (this.#stopping.signal.aborted) return;
      failures = failure === null ? 0 : failures + 1;
      if (failures === attempts) {
        this.emit('gave-up', failure);
        return;
      }
      await this.#wait(failures === 0 ? 0 : delay * 2 ** (failures - 1));
    }
  }

  // How it failed in words; null: it ended well.
  async #runOnce(jail: Jail): Promise<string | null> {
    const [file, ...args] = this.#kept.command;
    const command = jail.spawn(file, args, { stdio: 'ignore' });
    this.#command = command;
    command.once('spawn', () => this.emit('started', command.pid));
    command.once('error', () => {}); // `exited` tells the same
    try {
      const failure = describe(await command.exited);
      this.emit('ended', failure ?? 'well');
      return failure;
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #wait(time: number): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(time, undefined, { signal }).catch(() => {});
  }
}

function describe({ exitCode, signal }: ProcessExit): string | null {
  if (exitCode === 0) return null;
  return signal ?? `exit code ${exitCode}`;
}
