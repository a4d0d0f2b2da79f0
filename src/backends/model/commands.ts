import type { ResolvedLimit } from '../../limits.js';
import { loadNative } from '../../native.js';
import type { ResolvedSpawn } from '../../spawn-options.js';
import type { CommandControl, CommandDescriptors, CommandEvents } from '../backend.js';
import { ModelCommand } from './command.js';
import { type CommandEnds, openEnds } from './command-ends.js';
import type { KeepAlive } from './keep-alive.js';
import type { ModelKernel } from './kernel.js';
import { launch } from './launch.js';
import type { ModelProcess } from './model-process.js';
import { reap } from './monitor.js';
import { systemError } from './translate.js';

const NO_CONTROL: CommandControl = { signal: () => {}, ref: () => {}, unref: () => {} };

/** The commands that one monitor runs. */
export class Commands {
  readonly #kernel: ModelKernel;
  readonly #monitor: ModelProcess;
  readonly #jid: number;
  readonly #limits: readonly ResolvedLimit[];
  readonly #keepAlive: KeepAlive;
  readonly #running = new Set<ModelCommand>();
  /** Children that somebody in the jail traced when they ended: the kernel gives them back when he has waited. */
  readonly #strays = new Set<number>();
  /** Called when a command has ended. */
  whenEnded: () => void = () => {};

  /** @param limits of the jail, for each of them */
  constructor(
    kernel: ModelKernel,
    monitor: ModelProcess,
    jid: number,
    limits: readonly ResolvedLimit[],
    keepAlive: KeepAlive,
  ) {
    this.#kernel = kernel;
    this.#monitor = monitor;
    this.#jid = jid;
    this.#limits = limits;
    this.#keepAlive = keepAlive;
  }

  get running(): readonly ModelCommand[] {
    return [...this.#running];
  }

  /** Runs one. Never throws. */
  spawn(
    command: ResolvedSpawn,
    descriptors: CommandDescriptors,
    events: CommandEvents,
  ): CommandControl {
    try {
      return this.#spawn(command, descriptors, events);
    } catch (error) {
      const failure = systemError(error, { step: 'stdio', syscall: 'fcntl', jid: this.#jid });
      process.nextTick(() => events.failed(failure));
      return NO_CONTROL;
    }
  }

  /** Nobody will ever know how they end. */
  lose(error: Error): void {
    for (const command of this.running) command.lose(error);
    this.#running.clear();
  }

  /** Kills them all, for good. */
  kill(): void {
    for (const { process: child } of this.running) if (!child.hasEnded) child.kill9();
  }

  /** Zombies that have come back. */
  reapStrays(): void {
    if (this.#monitor.hasEnded) return;
    for (const pid of this.#strays) {
      if (reap(this.#monitor, pid) !== null) this.#strays.delete(pid);
    }
  }

  #spawn(
    command: ResolvedSpawn,
    descriptors: CommandDescriptors,
    events: CommandEvents,
  ): CommandControl {
    const ends = openDescriptors(descriptors);
    let child: ModelProcess;
    try {
      child = launch(this.#kernel, this.#monitor, this.#jid, command, this.#limits, ends);
    } catch (error) {
      ends.close();
      throw error;
    }
    const { pid } = child;
    process.nextTick(() => events.started(pid, pid));
    const running = new ModelCommand(this.#monitor, child, this.#keepAlive, command);
    this.#running.add(running);
    child.entry.ended.push(() => this.#ended(running));
    return running.listen(events);
  }

  #ended(command: ModelCommand): void {
    const { process: child } = command;
    // What the kernel's event says, where somebody else was told by wait(2).
    const waited = reap(this.#monitor, child.pid);
    if (waited === null) this.#strays.add(child.pid);
    const status = waited ?? child.entry.exitStatus;
    this.reapStrays();
    this.#running.delete(command);
    command.ended(status);
    this.whenEnded();
  }
}

function openDescriptors(descriptors: CommandDescriptors): CommandEnds {
  try {
    return openEnds(loadNative().native, descriptors);
  } catch (error) {
    descriptors.sent();
    throw error;
  }
}
