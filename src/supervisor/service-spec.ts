import type { Limits } from '../limits.js';
import type { JailSpec } from '../spec.js';

/** When a service counts as ready. The first look that finds it so ends the waiting. */
export interface Readiness {
  /** It listens on this TCP port, 1 to 65,535, at one of its jail's addresses or at any. */
  port?: number;
  /** This file exists inside the jail. Absolute; symbolic links are not followed. */
  file?: string;
  /** It writes a line that has this text, or matches this expression, to stdout or stderr. */
  line?: string | RegExp;
  /** ms for all of it; then the service has failed. Default 30,000. */
  timeoutMs?: number;
}

/** A look at a service that runs. */
export interface HealthCheck {
  /** A program of the jail and its arguments; its exit code 0 is healthy. */
  command?: readonly string[];
  /** Healthy while it listens on this TCP port. */
  port?: number;
  /** ms between two looks. Default 10,000. */
  intervalMs?: number;
  /** ms after which a look has failed. Default 5000. */
  timeoutMs?: number;
  /** So many failed looks in a row, and the command is killed and restarted by its policy. Default 3. */
  failures?: number;
}

/** Whether and when a command that has ended is started again. */
export interface RestartPolicy {
  /** `on-failure`: unless it ended with exit code 0. Default `on-failure`. */
  when?: 'always' | 'on-failure' | 'never';
  /** ms before the first restart; doubled with each further one. Default 100. */
  delayMs?: number;
  /** ms at most between two. Default 30,000. */
  maxDelayMs?: number;
  /** ms that it has to run for the delay to start over. Default 60,000. */
  resetMs?: number;
  /** So many restarts within `withinMs`, and the service has failed for good. Default 10; Infinity: no limit. */
  limit?: number;
  /** ms. Default 600,000. */
  withinMs?: number;
}

/** A file for what a service writes. */
export interface LogFile {
  /** Absolute, on the host. Never a symbolic link. */
  file: string;
  /** Bytes at which it is moved aside. Default 10 MiB. */
  maxBytes?: number;
  /** So many older ones are kept, as `file.1` (the youngest), `file.2`, … Default 3. */
  keep?: number;
}

/** A line that a service wrote. What it says is the jail's: escape it before a terminal or a page shows it. */
export interface LogLine {
  /** Which service wrote it. */
  readonly service: string;
  /** Where it wrote it. */
  readonly stream: 'stdout' | 'stderr';
  /** Without its end; at most 64 KiB, longer ones come in pieces. */
  readonly text: string;
}

/** One service: a command in a jail of its own. Plain data but for callbacks and expressions. */
export interface ServiceSpec {
  /** The jail. Its name, unless given, is the service's. */
  jail: JailSpec;
  /** The program and its arguments; it must stay in the foreground, unless it is a `oneshot`. */
  command: readonly string[];
  /** `oneshot`: the command prepares something and ends; the service is ready when it ended with exit code 0. Default `simple`. */
  kind?: 'simple' | 'oneshot';
  /** Its environment, as for `spawn()`: nothing is inherited. */
  env?: Readonly<Record<string, string>>;
  /** The working directory inside the jail, as for `spawn()`. Default `/`. */
  cwd?: string;
  /** A user of the jail, as for `spawn()`. Default: root. */
  user?: string | number;
  /** A group of the jail, as for `spawn()`. */
  group?: string | number;
  /** Further groups by number, as for `spawn()`. */
  groups?: readonly number[];
  /** Limits of the command, as for `spawn()`; those of the whole jail are in `jail`. */
  limits?: Limits;
  /** With the user’s own environment and home directory, as for `spawn()`. Default false. */
  login?: boolean;
  /** Services that have to be ready before it is started, and are stopped after it. */
  dependsOn?: readonly string[];
  /** Default: ready as soon as it runs. */
  ready?: Readiness;
  /** Default: it is healthy as long as it runs. */
  health?: HealthCheck;
  /** Or just the word. */
  restart?: RestartPolicy | 'always' | 'on-failure' | 'never';
  /** A file, or whoever is to hear each line. Default: nobody. */
  log?: LogFile | ((line: LogLine) => void);
  /** As for `jail.stop()`. */
  stop?: { command?: readonly string[]; signal?: NodeJS.Signals; graceMs?: number };
}

/** Options of a {@link Supervisor}. */
export interface SupervisorOptions {
  /** A file that always has the present state as JSON, for other programs: {@link readState}. Absolute. */
  stateFile?: string;
  /**
   * `keep`: the services run on when this program ends, and the next supervisor adopts them. Needs `stateFile`, and logs
   * in files. Default `stop`.
   */
  onExit?: 'stop' | 'keep';
}
