import { EventEmitter } from 'node:events';
import { invalidValue } from '../errors.js';
import { assertAbsolutePath, assertKnownKeys, assertObject, assertOneOf } from '../validate.js';
import { type Definition, defineService } from './definition.js';
import { inOrder } from './order.js';
import { Service } from './service.js';
import type { ServiceSpec, SupervisorOptions } from './service-spec.js';
import { readState, type ServiceStatus, StateFile, type SupervisorState } from './state-file.js';

const MAX_MS = 0x7fffffff;

/** Events of a {@link Supervisor}. */
export interface SupervisorEvents {
  /** A service has come into another state. */
  state: [status: ServiceStatus];
  /** What goes wrong beside the services' own lives: a log or the state file that cannot be written. Ignored without a listener. */
  problem: [error: Error, service: string | null];
}

/** What {@link Supervisor.reload} did, by the services' names. */
export interface Reloaded {
  /** Services that are new. */
  readonly started: readonly string[];
  /** Services that are defined otherwise. */
  readonly restarted: readonly string[];
  /** Services that are gone. */
  readonly stopped: readonly string[];
  /** Services that run on. */
  readonly unchanged: readonly string[];
}

/**
 * Services in jails: each a command in a jail of its own, started in the order of what they depend on, looked after,
 * restarted when they end, and stopped in reverse.
 *
 * Events: `'state'` (status) whenever a service comes into another state; `'problem'` (error, service).
 *
 * @see rc(8), rc.d/jail
 * @example
 * const supervisor = new Supervisor({
 *   db: { jail: dbSpec, command: ['/usr/bin/redis-server'], ready: { port: 6379 } },
 *   web: { jail: webSpec, command: ['node', '/srv/web.js'], dependsOn: ['db'], ready: { line: 'listening' } },
 * });
 * await supervisor.run(); // until SIGTERM or SIGINT
 */
export class Supervisor extends EventEmitter<SupervisorEvents> {
  readonly #keep: boolean;
  readonly #stateFile: StateFile | null;
  /** What an earlier supervisor left, by its state file. */
  readonly #left: ReadonlyMap<string, ServiceStatus>;
  /** Nothing more is to be started. */
  #ending = false;
  #services: readonly Service[];
  /** Starting, stopping and reloading go one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Checks everything; starts nothing.
   *
   * @param services by their names, which jails can have: `[A-Za-z_][A-Za-z0-9_]*`
   * @param options  {@link SupervisorOptions}
   * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: also an unknown name or a cycle in `dependsOn`;
   *   `ERR_JAIL_UNSUPPORTED`
   */
  constructor(services: Readonly<Record<string, ServiceSpec>>, options: SupervisorOptions = {}) {
    super();
    const { stateFile, onExit } = checkOptions(options);
    this.#keep = onExit === 'keep';
    const failed = (error: Error) => void this.emit('problem', error, null);
    this.#left = new Map(stateFile === null ? [] : servicesIn(stateFile));
    const jails = () => this.#services.map(({ definition }) => definition.jail);
    this.#stateFile =
      stateFile === null ? null : new StateFile(stateFile, () => this.#snapshot(), jails, failed);
    this.#services = this.#define(services).map((definition) => this.#make(definition));
  }

  /**
   * What all services are doing, in the order in which they are started.
   *
   * @returns a snapshot, one entry a service
   * @example
   * console.log(supervisor.status().map(({ name, state }) => `${name}: ${state}`));
   */
  status(): readonly ServiceStatus[] {
    return this.#services.map(({ status }) => status);
  }

  /**
   * Starts all services, each as soon as what it depends on is ready. One that fails does not keep the others from
   * being started, but for those that depend on it.
   *
   * @returns resolves when each is ready or has failed: {@link status} tells
   * @example await supervisor.start();
   */
  start(): Promise<void> {
    return this.#inTurn(() => {
      this.#ending = false;
      return this.#start(this.#services);
    });
  }

  /**
   * Stops all services, each after those that depend on it.
   *
   * @returns resolves when no command and no jail of theirs is left
   * @throws AggregateError of what could not be taken back
   * @example
   * await supervisor.stop();
   */
  stop(): Promise<void> {
    // What is being started does not have to become ready first.
    this.#ending = true;
    for (const service of this.#services) service.halt();
    return this.#inTurn(() => this.#stop(this.#services));
  }

  /**
   * Changes what is to run: starts what is new, stops what is gone, and restarts what is defined otherwise. What did not
   * change runs on.
   *
   * @param services as for the constructor
   * @returns what was done, by the services’ names; resolves when it is done
   * @throws as the constructor; nothing is changed then
   * @example
   * const { restarted } = await supervisor.reload({ ...services, web: newer });
   */
  async reload(services: Readonly<Record<string, ServiceSpec>>): Promise<Reloaded> {
    const definitions = this.#define(services);
    return this.#inTurn(() => this.#reload(definitions));
  }

  /**
   * Stops a service and starts it again, in a new jail.
   *
   * @param name of the service
   * @throws JailError `ERR_INVALID_ARG_VALUE`: there is no such service; what kept it from becoming ready
   * @example
   * await supervisor.restart('web');
   */
  async restart(name: string): Promise<void> {
    const service = this.#services.find((one) => one.name === name);
    if (service === undefined) {
      throw invalidValue('name', `one of ${this.#services.map((one) => one.name)}`, name);
    }
    await this.#inTurn(async () => {
      await service.stop();
      await this.#replace(service, this.#make(service.definition)).start();
    });
  }

  /**
   * Starts all services and waits for SIGTERM or SIGINT; then stops them, or lets them run on with `onExit: 'keep'`.
   *
   * @param options `reload`: called at SIGHUP for the services that are to run from then on
   * @returns which signal ended it
   */
  async run(
    options: { reload?: () => Readonly<Record<string, ServiceSpec>> } = {},
  ): Promise<NodeJS.Signals> {
    const { reload } = options;
    const ended = new AbortController();
    const end = (signal: NodeJS.Signals) => ended.abort(signal);
    const hangUp = () => {
      if (reload !== undefined) this.#complain(async () => void (await this.reload(reload())));
    };
    process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', hangUp);
    const alive = setInterval(() => {}, MAX_MS);
    try {
      this.#complain(() => this.start());
      await new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
      await (this.#keep ? this.letGo() : this.stop());
      return ended.signal.reason;
    } finally {
      clearInterval(alive);
      process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', hangUp);
    }
  }

  /** Lets everything run on without this program, as `run()` does with `onExit: 'keep'`. */
  async letGo(): Promise<void> {
    for (const service of this.#services) service.letGo();
    await this.#stateFile?.flushed();
  }

  #complain(action: () => Promise<void>): void {
    Promise.resolve()
      .then(action)
      .catch((error: Error) => this.emit('problem', error, null));
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #define(services: unknown): Definition[] {
    assertObject(services, 'services');
    const all = Object.entries(services).map(([name, value]) => defineService(name, value));
    for (const { name, log } of all) {
      if (this.#keep && typeof log === 'function') {
        throw invalidValue(
          `services.${name}.log`,
          'a file, since the service outlives this program',
          log,
        );
      }
    }
    return inOrder(all);
  }

  #make(definition: Definition): Service {
    const left = this.#left.get(definition.name) ?? null;
    return new Service(
      definition,
      { keep: this.#keep, left },
      {
        changed: (status, isNew) => {
          this.#stateFile?.update();
          if (isNew) this.emit('state', status);
        },
        failed: (error) => void this.emit('problem', error, definition.name),
      },
    );
  }

  async #start(services: readonly Service[]): Promise<void> {
    const outcomes = new Map<string, Promise<boolean>>();
    for (const service of services) outcomes.set(service.name, this.#startOne(service, outcomes));
    await Promise.all(outcomes.values());
    await this.#stateFile?.flushed();
  }

  // True when it is ready.
  async #startOne(
    service: Service,
    outcomes: ReadonlyMap<string, Promise<boolean>>,
  ): Promise<boolean> {
    const { dependsOn } = service.definition;
    if (service.isLive) return this.#isReady(service.name);
    if (dependsOn.length > 0) service.wait();
    for (const name of dependsOn) {
      if (await (outcomes.get(name) ?? this.#isReady(name))) continue;
      if (!this.#ending) service.giveUp(`it depends on ${name}, which is not ready`);
      return false;
    }
    if (this.#ending) return false;
    return service.start().then(
      () => true,
      () => false,
    );
  }

  #isReady(name: string): boolean {
    const state = this.#services.find((one) => one.name === name)?.status.state;
    return state === 'ready' || state === 'done';
  }

  async #stop(services: readonly Service[]): Promise<void> {
    const stopped = new Map<Service, Promise<void>>();
    // Backwards, so that those which depend on one are there to be waited for.
    for (const service of [...services].reverse()) {
      const dependants = services.filter((one) => one.definition.dependsOn.includes(service.name));
      const before = dependants.map((one) => stopped.get(one)?.catch(() => {}));
      stopped.set(
        service,
        Promise.all(before).then(() => service.stop()),
      );
    }
    const results = await Promise.allSettled(stopped.values());
    await this.#stateFile?.flushed();
    const errors = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything could be taken back');
  }

  async #reload(definitions: readonly Definition[]): Promise<Reloaded> {
    const before = new Map(this.#services.map((service) => [service.name, service]));
    const same = (definition: Definition) =>
      before.get(definition.name)?.definition.hash === definition.hash;
    const kept = new Set(definitions.filter(same).map(({ name }) => name));
    const ending = this.#services.filter(({ name }) => !kept.has(name));
    await this.#stop(ending);
    this.#services = definitions.map((definition) => {
      const old = before.get(definition.name);
      return old !== undefined && kept.has(old.name) ? old : this.#make(definition);
    });
    await this.#start(this.#services.filter(({ name }) => !kept.has(name)));
    const names = new Set(definitions.map(({ name }) => name));
    return {
      started: [...names].filter((name) => !before.has(name)),
      restarted: [...names].filter((name) => before.has(name) && !kept.has(name)),
      stopped: [...before.keys()].filter((name) => !names.has(name)),
      unchanged: [...kept],
    };
  }

  #replace(old: Service, replacement: Service): Service {
    this.#services = this.#services.map((one) => (one === old ? replacement : one));
    return replacement;
  }

  #snapshot(): SupervisorState {
    const updated = new Date().toJSON();
    return { version: 1, pid: process.pid, updated, services: this.status() };
  }
}

function checkOptions(options: unknown): { stateFile: string | null; onExit: 'stop' | 'keep' } {
  assertObject(options, 'options');
  assertKnownKeys(
    options,
    ['stateFile', 'onExit'] satisfies (keyof SupervisorOptions)[],
    'options',
  );
  const { stateFile = null, onExit = 'stop' } = options;
  if (stateFile !== null) assertAbsolutePath(stateFile, 'stateFile');
  assertOneOf(onExit, 'onExit', ['stop', 'keep']);
  if (onExit === 'keep' && stateFile === null) {
    throw invalidValue(
      'stateFile',
      'a path, by which the next supervisor knows what is left',
      stateFile,
    );
  }
  return { stateFile, onExit };
}

function servicesIn(stateFile: string): [string, ServiceStatus][] {
  return (readState(stateFile)?.services ?? []).map((status) => [status.name, status]);
}
