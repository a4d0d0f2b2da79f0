import { setTimeout as sleep } from 'node:timers/promises';
import { JailError } from '../errors.js';
import { Jail } from '../jail.js';
import type { JailedProcess } from '../jailed-process.js';
import type { Definition } from './definition.js';
import { watchHealth } from './health.js';
import { type Log, openLogOf } from './log.js';
import { expectLine, waitUntilReady } from './readiness.js';
import { type Ending, Restarts } from './restart-policy.js';
import type { ServiceState, ServiceStatus } from './state-file.js';

/** Who is told of a service. */
export interface ServiceEvents {
  /** @param isNew it came into another state; else only what is known of it has changed */
  changed(status: ServiceStatus, isNew: boolean): void;
  failed(error: Error): void;
}

/** How a service is to be run. */
export interface ServiceSettings {
  /** Its jail and command outlive this program. */
  readonly keep: boolean;
  /** What an earlier supervisor left of it. */
  readonly left: ServiceStatus | null;
}

/** One service: its jail, its command, and the command after that. */
export class Service {
  readonly definition: Definition;
  readonly #events: ServiceEvents;
  readonly #settings: ServiceSettings;
  readonly #restarts: Restarts;
  #log: Log | null = null;
  #jail: Jail | null = null;
  #command: JailedProcess | null = null;
  #state: ServiceState = 'stopped';
  #since = new Date();
  #reason: string | null = null;
  /** Aborted when it is to end. */
  #halt = new AbortController();
  #life: Promise<void> | null = null;

  constructor(definition: Definition, settings: ServiceSettings, events: ServiceEvents) {
    this.definition = definition;
    this.#settings = settings;
    this.#events = events;
    this.#restarts = new Restarts(definition.restart);
  }

  get name(): string {
    return this.definition.name;
  }

  get status(): ServiceStatus {
    return {
      name: this.name,
      state: this.#state,
      jid: this.#jail?.jid ?? null,
      pid: this.#command?.pid ?? null,
      restarts: this.#restarts.count,
      since: this.#since.toJSON(),
      reason: this.#reason,
      hash: this.definition.hash,
    };
  }

  /** It was started, and has not ended for good. */
  get isLive(): boolean {
    return this.#life !== null;
  }

  /** It waits for others. */
  wait(): void {
    this.#enter('waiting', null);
  }

  /** It is not started at all. */
  giveUp(reason: string): void {
    this.#enter('failed', reason);
  }

  /**
   * Starts it.
   *
   * @returns resolves when it is ready for the first time
   * @throws what kept it from becoming so
   */
  start(): Promise<void> {
    this.#halt = new AbortController();
    const { keep } = this.#settings;
    this.#log = openLogOf(this.definition, keep, (error) => this.#events.failed(error));
    return new Promise((resolve, reject) => {
      this.#life = this.#live(resolve)
        .then(() => reject(stopped(this.name)), reject)
        .finally(() => {
          this.#life = null;
        });
    });
  }

  /** It is to be stopped: what it waits for need not come any more. */
  halt(): void {
    this.#halt.abort();
    // Nobody depends on it yet. That it could not be stopped is for stop() to say.
    if (this.#state === 'starting') this.#jail?.stop(this.definition.stop).catch(() => {});
  }

  /** Ends its command and its jail. Resolves when nothing of it is left but its log. */
  async stop(): Promise<void> {
    this.halt();
    if (this.#state !== 'stopped') this.#enter('stopping', null);
    try {
      await this.#jail?.stop(this.definition.stop);
      await this.#life;
    } finally {
      await this.#end('stopped', null);
    }
  }

  /** Lets it run on without this program. */
  letGo(): void {
    this.#halt.abort();
    this.#command?.unref();
    this.#jail?.unref();
  }

  // Every round is one command, from its start to its end.
  async #live(ready: () => void): Promise<void> {
    while (!this.#halt.signal.aborted) {
      const ending = await this.#round(ready);
      if (this.#halt.signal.aborted) return;
      const reason = this.#reason;
      const next = this.#restarts.next(ending, performance.now());
      if (next === 'over') return this.#end('stopped', reason);
      if (next === 'failed') {
        await this.#end('failed', reason);
        throw new JailError('ERR_JAIL_NOT_READY', `The service ${this.name} has failed: ${reason}`);
      }
      this.#enter('restarting', reason);
      await sleep(next, undefined, { signal: this.#halt.signal }).catch(() => {});
    }
  }

  // Nothing of it is left but its log.
  async #end(state: 'stopped' | 'failed', reason: string | null): Promise<void> {
    const jail = this.#jail;
    const log = this.#log;
    try {
      await jail?.stop({ graceMs: 0 });
    } finally {
      this.#jail = null;
      this.#log = null;
      await log?.close();
      this.#enter(state, reason);
    }
  }

  async #round(ready: () => void): Promise<Ending> {
    this.#enter('starting', this.#reason);
    const start = performance.now();
    try {
      const jail = await this.#openJail();
      if (this.#wasDone) return await this.#rest(ready);
      const line = expectLine(this.#openLog(), this.definition.ready, this.#halt.signal);
      try {
        const left = this.#adoptable(jail);
        const waiting = left === null ? line.found : Promise.resolve(); // it was written before
        const command = left ?? (await this.#spawn(jail));
        return await this.#attend(jail, command, waiting, ready);
      } finally {
        line.forget();
      }
    } catch (error) {
      this.#reason = (error as Error).message;
      return { well: false, ranMs: performance.now() - start, hopeless: isHopeless(error) };
    } finally {
      this.#command = null;
    }
  }

  async #attend(
    jail: Jail,
    command: JailedProcess,
    line: Promise<void>,
    ready: () => void,
  ): Promise<Ending> {
    const start = performance.now();
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#halt.signal]);
    this.#command = command;
    command.on('error', () => {}); // told by `exited` too
    try {
      const looked = this.#lookAfter(jail, line, signal, ready);
      looked.catch((error) => this.#putDown(command, error));
      const { exitCode, signal: killer } = await command.exited;
      const well = exitCode === 0 && this.#reason === null;
      this.#command = null;
      if (well && this.definition.oneshot) return await this.#rest(ready);
      this.#reason ??= `it ended with ${killer ?? `exit code ${exitCode}`}`;
      return { well, ranMs: performance.now() - start };
    } finally {
      over.abort();
    }
  }

  // Ready, and then healthy until it is not: rejects with what is wrong.
  async #lookAfter(
    jail: Jail,
    line: Promise<void>,
    signal: AbortSignal,
    ready: () => void,
  ): Promise<never> {
    const { ready: wanted, health, oneshot } = this.definition;
    this.#reason = null;
    this.#enter('starting', null);
    if (oneshot) return new Promise(() => {});
    if (wanted !== null) await waitUntilReady(wanted, jail, line, signal);
    this.#enter('ready', null);
    ready();
    if (health === null) return new Promise(() => {});
    throw new Error(await watchHealth(health, jail, signal));
  }

  // A service that is not well is ended for good: the policy says what follows.
  #putDown(command: JailedProcess, error: Error): void {
    if (this.#halt.signal.aborted || command !== this.#command) return;
    this.#reason = error.message;
    command.kill('SIGKILL');
  }

  // A oneshot has done its work: its jail stays as it is.
  #rest(ready: () => void): Promise<Ending> {
    const { signal } = this.#halt;
    this.#enter('done', null);
    ready();
    return new Promise((resolve) => {
      const end = () => resolve({ well: true, ranMs: 0 });
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    });
  }

  // An earlier supervisor has seen it do so, and its jail is the same.
  get #wasDone(): boolean {
    return (
      this.definition.oneshot &&
      this.#jail?.owned === false &&
      this.#settings.left?.state === 'done'
    );
  }

  async #openJail(): Promise<Jail> {
    const { jail: spec, hash } = this.definition;
    const { keep, left } = this.#settings;
    if (this.#jail !== null && isThere(this.#jail)) return this.#jail;
    const running = keep && spec.name !== undefined ? await openLeft(spec.name) : null;
    const isSame = running !== null && left?.hash === hash;
    if (!isSame) await running?.stop(this.definition.stop);
    this.#jail = isSame ? running : await Jail.create({ ...spec, persist: keep });
    this.#enter('starting', this.#reason);
    this.#halt.signal.throwIfAborted();
    return this.#jail;
  }

  #openLog(): Log {
    if (this.#log === null) throw stopped(this.name);
    return this.#log;
  }

  // What an earlier supervisor left running.
  #adoptable(jail: Jail): JailedProcess | null {
    const wanted = JSON.stringify(this.definition.argv);
    return jail.commands().find(({ spawnargs }) => JSON.stringify(spawnargs) === wanted) ?? null;
  }

  async #spawn(jail: Jail): Promise<JailedProcess> {
    const [file = '', ...args] = this.definition.argv;
    const log = this.#openLog();
    const stdio = await log.stdio();
    const command = jail.spawn(file, args, { ...this.definition.spawn, stdio });
    await new Promise<void>((resolve, reject) => {
      command.once('spawn', resolve);
      command.once('error', reject);
    });
    log.attach(command);
    return command;
  }

  #enter(state: ServiceState, reason: string | null): void {
    const isNew = state !== this.#state;
    if (isNew) this.#since = new Date();
    this.#state = state;
    this.#reason = reason;
    this.#events.changed(this.status, isNew);
  }
}

function stopped(name: string): JailError {
  return new JailError('ERR_JAIL_STOPPED', `The service ${name} was stopped`);
}

// What this machine cannot do, it cannot do a second later either.
function isHopeless(error: unknown): boolean {
  if (!(error instanceof JailError)) return false;
  return error.code === 'ERR_JAIL_NATIVE' || error.code === 'ERR_JAIL_UNSUPPORTED';
}

function isThere(jail: Jail): boolean {
  try {
    return jail.info().state !== 'stopping';
  } catch {
    return false;
  }
}

async function openLeft(name: string): Promise<Jail | null> {
  try {
    return await Jail.open(name);
  } catch (error) {
    if (error instanceof JailError && error.code === 'ERR_JAIL_NOT_FOUND') return null;
    throw error;
  }
}
