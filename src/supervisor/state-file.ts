import { closeSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { JailError } from '../errors.js';
import { GuardedFolder, nameOf } from '../files/below.js';
import { type Changing, changeableBy } from '../files/changeable.js';

/** What a service is doing. */
export type ServiceState =
  | 'stopped'
  /** For what it depends on. */
  | 'waiting'
  /** Its jail is being made, or it is not ready yet. */
  | 'starting'
  | 'ready'
  /** A oneshot that has done its work; its jail is there. */
  | 'done'
  /** It has ended and is started again after a while. */
  | 'restarting'
  | 'stopping'
  /** It has ended, or could not be started, and is not started again. */
  | 'failed';

/** What is known of a service. */
export interface ServiceStatus {
  /** Its name in the definition. */
  readonly name: string;
  /** What it is doing. */
  readonly state: ServiceState;
  /** Null: it has no jail. */
  readonly jid: number | null;
  /** The host's number of its command; null: none runs. */
  readonly pid: number | null;
  /** Restarts within the time that its policy counts. */
  readonly restarts: number;
  /** When it came into this state, as `Date.toJSON`. */
  readonly since: string;
  /** Why it failed, or why it is being restarted. */
  readonly reason: string | null;
  /** Of its definition. */
  readonly hash: string;
}

/** The content of a supervisor's state file. */
export interface SupervisorState {
  /** Of this format. */
  readonly version: 1;
  /** The supervisor's own process. */
  readonly pid: number;
  /** When this was written, as `Date.toJSON`. */
  readonly updated: string;
  /** All services, in the order in which they are started. */
  readonly services: readonly ServiceStatus[];
}

/**
 * Reads what a supervisor is doing, from any program.
 *
 * @param file its `stateFile`
 * @returns null: there is no such file
 * @throws JailError `ERR_INVALID_ARG_VALUE`: it is not the state of a supervisor
 * @example for (const { name, state } of readState('/run/web.json')?.services ?? []) console.log(name, state);
 */
export function readState(file: string): SupervisorState | null {
  let text: string;
  try {
    text = readText(resolve(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const state = parse(text);
  if (state !== null) return state;
  const hint = 'name the stateFile of a supervisor, or remove it';
  throw new JailError('ERR_INVALID_ARG_VALUE', `${file} is not the state of a supervisor`, {
    hint,
  });
}

function readText(file: string): string {
  return GuardedFolder.with(dirname(file), changeableBy([]), (folder) => {
    const fd = folder.openToRead(nameOf(file));
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  });
}

function parse(text: string): SupervisorState | null {
  try {
    const value = JSON.parse(text) as Partial<SupervisorState> | null;
    return value?.version === 1 && Array.isArray(value.services)
      ? (value as SupervisorState)
      : null;
  } catch {
    return null;
  }
}

/** Keeps a state file true. A reader sees the old content or the new one, never a part. */
export class StateFile {
  readonly #file: string;
  readonly #state: () => SupervisorState;
  readonly #jails: () => readonly Changing[];
  readonly #failed: (error: Error) => void;
  #writing: Promise<void> = Promise.resolve();
  #asked = false;

  /**
   * @param file where it is
   * @param state what it is to say
   * @param jails that may be able to write there
   * @param failed hears of a file that cannot be written
   */
  constructor(
    file: string,
    state: () => SupervisorState,
    jails: () => readonly Changing[],
    failed: (error: Error) => void,
  ) {
    this.#file = resolve(file);
    this.#state = state;
    this.#jails = jails;
    this.#failed = failed;
  }

  /** Something has changed. Changes of one turn are written together. */
  update(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#writing = this.#writing.then(() => this.#write()).catch(this.#failed);
  }

  /** Resolves when everything is written. */
  flushed(): Promise<void> {
    return this.#writing;
  }

  async #write(): Promise<void> {
    this.#asked = false;
    const text = `${JSON.stringify(this.#state(), null, 1)}\n`;
    const name = nameOf(this.#file);
    GuardedFolder.with(dirname(this.#file), changeableBy(this.#jails()), (folder) =>
      replace(folder, name, text),
    );
  }
}

function replace(folder: GuardedFolder, name: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const temporary = `${name}.${process.pid}`;
  folder.remove(temporary);
  const fd = folder.openFile(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o644);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
  folder.rename(temporary, name);
}
