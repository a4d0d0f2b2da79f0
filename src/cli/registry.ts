import type { Command } from './command.js';

/** What a module of a subcommand exports. */
interface CommandModule {
  readonly command: Command;
}

/**
 * All subcommands by name, in the order of the help. Only what is called is loaded. To add one: a module that exports
 * `command` (by `defineCommand()`, or any {@link Command} of its own), and its line here.
 */
const loaders: Readonly<Record<string, () => Promise<CommandModule>>> = {
  run: () => import('./commands/run.js'),
  ls: () => import('./commands/ls.js'),
  ps: () => import('./commands/ps.js'),
  exec: () => import('./commands/exec.js'),
  start: () => import('./commands/start.js'),
  stop: () => import('./commands/stop.js'),
  restart: () => import('./commands/restart.js'),
  status: () => import('./commands/status.js'),
  top: () => import('./commands/top.js'),
  tune: () => import('./commands/tune.js'),
  plan: () => import('./commands/plan.js'),
  probe: () => import('./commands/probe.js'),
  recover: () => import('./commands/recover.js'),
  watch: () => import('./commands/watch.js'),
  supervise: () => import('./commands/supervise.js'),
  completion: () => import('./commands/completion.js'),
  jail: () => import('./commands/jail.js'),
  jls: () => import('./commands/jls.js'),
  jexec: () => import('./commands/jexec.js'),
};

/** The names of all subcommands. */
export const commandNames: readonly string[] = Object.keys(loaders);

/**
 * Loads a subcommand.
 *
 * @param name what it is called
 * @returns undefined when there is none of that name
 */
export async function loadCommand(name: string): Promise<Command | undefined> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  return load === undefined ? undefined : (await load()).command;
}

/** Loads all of them. */
export async function loadAllCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(loaders).map((load) => load()))).map(
    ({ command }) => command,
  );
}
