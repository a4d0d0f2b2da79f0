import type { Capabilities } from '../../capabilities.js';
import { handleClosed, jailStopped, monitorLost } from '../../monitor/failure.js';
import type { ResolvedSpawn } from '../../spawn-options.js';
import type {
  CommandControl,
  CommandDescriptors,
  CommandEvents,
  Connection,
  JailEnd,
  RunningCommand,
  StepSink,
} from '../backend.js';
import type { ModelCommand } from './command.js';
import type { KeepAlive } from './keep-alive.js';
import type { JailKeeper } from './keeper.js';
import type { Visitor } from './visitor.js';

const KILL = 9;

/** What a connection needs of whoever runs its commands. */
export type Host = JailKeeper | Visitor;

/** How a connection came about. */
export type ConnectionKind = 'created' | 'adopted' | 'entered';

/** A handle's connection to a jail of the model. */
export class ModelConnection implements Connection {
  readonly jid: number;
  readonly name: string | null;
  readonly owned: boolean;
  readonly running: readonly RunningCommand[];
  readonly ended: Promise<JailEnd>;
  readonly #host: Host;
  readonly #kind: ConnectionKind;
  readonly #persist: boolean;
  readonly #keepAlive: KeepAlive;
  readonly #tune: (capabilities: Readonly<Capabilities>) => void;
  /** Of this handle's own commands. */
  readonly #mine = new Set<ModelCommand>();
  #end: JailEnd | null = null;
  #settle: (end: JailEnd) => void = () => {};
  #hold: (() => void) | null = null;

  constructor(
    host: Host,
    parts: {
      readonly kind: ConnectionKind;
      readonly name: string | null;
      readonly persist: boolean;
      readonly keepAlive: KeepAlive;
      readonly tune: (capabilities: Readonly<Capabilities>) => void;
    },
  ) {
    this.#host = host;
    this.#kind = parts.kind;
    this.#persist = parts.persist;
    this.#keepAlive = parts.keepAlive;
    this.#tune = parts.tune;
    this.jid = host.jid;
    this.name = parts.name;
    this.owned = parts.kind === 'created';
    this.running = parts.kind === 'adopted' ? host.commands.running.map(runningCommand) : [];
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void host.gone.then(() => this.#finish('gone'));
  }

  spawn(
    command: ResolvedSpawn,
    descriptors: CommandDescriptors,
    events: CommandEvents,
  ): CommandControl {
    if (this.#end !== null || this.#host.isStopping) {
      descriptors.sent();
      const error = this.#host.isLost ? monitorLost() : jailStopped(this.jid);
      process.nextTick(() => events.failed(error));
      return { signal: () => {}, ref: () => {}, unref: () => {} };
    }
    const before = new Set(this.#host.commands.running);
    const control = this.#host.commands.spawn(command, descriptors, events);
    for (const running of this.#host.commands.running) {
      if (!before.has(running)) this.#mine.add(running);
    }
    return control;
  }

  async stop(signal: number, graceMs: number, steps: StepSink | null): Promise<void> {
    const release = this.#keepAlive.hold();
    try {
      await this.#host.stop(signal, graceMs, steps);
      await this.ended;
    } finally {
      release();
    }
  }

  setCapabilities(capabilities: Readonly<Capabilities>): void {
    this.#tune(capabilities);
  }

  // The kernel has them at once.
  pendingCapabilities(): Capabilities | null {
    return null;
  }

  async close(): Promise<void> {
    if (this.#end !== null) return;
    if (this.#kind === 'created' && !this.#persist) {
      await this.#host.stop(KILL, 0, null);
      await this.ended;
      return;
    }
    this.#finish('closed');
    for (const command of this.#mine) command.abandon(handleClosed(this.jid));
    if ('leave' in this.#host) this.#host.leave();
  }

  ref(): void {
    if (this.#end === null) this.#hold ??= this.#keepAlive.hold();
  }

  unref(): void {
    this.#hold?.();
    this.#hold = null;
  }

  #finish(end: JailEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.unref();
    this.#settle(end);
  }
}

function runningCommand(command: ModelCommand): RunningCommand {
  const { pid } = command.process;
  const { file, argv } = command;
  return { pid, jailPid: pid, file, argv, attach: (events) => command.listen(events) };
}
