import { closeSync, constants } from 'node:fs';
import { openGuarded } from '../../files/below.js';
import { changeableBy } from '../../files/changeable.js';
import { Jail } from '../../jail.js';
import type { JailSpec } from '../../spec.js';
import { defineCommand } from '../command.js';
import { commandExitCodes, exitCodes, signalExitCode } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { interruptible } from '../interrupt.js';
import { type Io, printJson, printLine } from '../io.js';
import { type JailRoot, openRoot } from '../jail-root.js';
import { commandOptions, sessionCommand } from '../options/command.js';
import { jailOptions, jailSpec, once } from '../options/jail.js';
import { readJailForm } from '../options/jail-form.js';
import { collect } from '../session/collect.js';
import { exitCodeAfter, type SessionCommand, whenStarted } from '../session/command.js';
import { session } from '../session/session.js';

/** `dfjail run`, what jail(8) is for. */
export const command = defineCommand({
  name: 'run',
  summary: 'make a jail and run a command in it',
  synopsis: [
    '[OPTION…] [COMMAND [ARG…]]',
    '[OPTION…] PATH HOSTNAME IP[,IP…] [COMMAND [ARG…]]',
    '-d [OPTION…] [COMMAND [ARG…]]',
  ],
  description: [
    'Makes a jail, runs a command in it (a shell, if none is given), and ends the jail when the command has ended, or dfjail, however that ends. The second form is that of jail(8); it is told from the first by PATH being a directory, which cannot be run. Options come first: what follows the command belongs to it.',
    'Without `--path` the jail has a thin root: the host’s programs, read-only, over a temporary folder that is removed when the jail has ended. Mount points are made in it as they are needed.',
    'Streams, terminals and signals are as with `dfjail exec`. Ctrl-C while the jail is still being made takes back what was made.',
    'With `--persist` the jail stays when the command has ended, and with `--detach` the command goes on without dfjail; `dfjail stop` ends such a jail. With `--json` the output is collected and printed with the exit status at the end; with `--detach` the jid is printed.',
  ],
  options: {
    ...jailOptions,
    ...commandOptions,
    persist: { type: 'boolean', help: 'The jail stays when the command and dfjail have ended.' },
    detach: {
      type: 'boolean',
      short: 'd',
      help: 'Do not wait for the command; implies `--persist`. Without a COMMAND the jail is empty.',
    },
    log: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      help: 'With `--detach`: append the command’s output to this file of the host, a regular one. Default: it is lost.',
    },
  },
  commandAfter: 0,
  completes: 'program',
  examples: [
    { command: "dfjail run sh -c 'exit 7'; echo $?", text: 'A throw-away jail; this prints 7' },
    {
      command: 'dfjail run --ip 10.0.0.7,fd00::7 --limit nofile=256 -m nullfs:$PWD:/mnt:ro',
      text: 'A shell with a network, a limit and the current directory',
    },
    {
      command:
        'dfjail run -d -n www --ip 10.0.0.7 --log /var/log/www.log -p /var/jails/www /usr/sbin/httpd -f',
      text: 'A service that stays; end it with dfjail stop www',
    },
    {
      command: 'dfjail run /var/jails/www www.example.org 10.0.0.7,fd00::7 /bin/sh',
      text: 'As jail(8) would be called',
    },
  ],
  exitCodes: commandExitCodes,
  async call({ options, rest, json, io }) {
    const form = readJailForm(rest);
    if (options.log !== undefined && !options.detach) throw new UsageError('--log is for --detach');
    const spec = { ...jailSpec(options, form), persist: options.persist || options.detach };
    const wanted = sessionCommand(options, form.rest, io.env);
    const path = once('path', options.path, form.path);
    const root = await openRoot({ path, thin: options.thin, include: options.include }, spec);
    const job: Job = { spec: root.spec, command: wanted, root, json, io };
    if (!options.detach) return runAttached(job);
    return runDetached(job, form.rest.length > 0, options.log ?? null);
  },
});

interface Job {
  readonly spec: JailSpec;
  readonly command: SessionCommand;
  readonly root: JailRoot;
  readonly json: boolean;
  readonly io: Io;
}

async function runAttached(job: Job): Promise<number> {
  const { spec, root, io } = job;
  let jail: Jail | null = null;
  let stays = false;
  try {
    const made = await create(spec, io);
    if (typeof made === 'number') return made;
    jail = made;
    const code = await runCommand(jail, job);
    stays = spec.persist === true;
    return code;
  } finally {
    if (stays) jail?.unref();
    else await end(jail, root);
  }
}

async function runCommand(jail: Jail, { command, json, io }: Job): Promise<number> {
  if (!json) return exitCodeAfter(await session(jail, command, io));
  const result = await collect(jail, command, io);
  printJson(io.stdout, { jid: jail.jid, name: jail.name, ...result });
  return exitCodeAfter(result);
}

async function end(jail: Jail | null, root: JailRoot): Promise<void> {
  try {
    await jail?.stop({ graceMs: 0 });
  } finally {
    await root.remove();
  }
}

// An exit code: a signal came before there was a jail.
async function create(spec: JailSpec, io: Io): Promise<Jail | number> {
  const { value, signal } = await interruptible(io, (aborted) =>
    Jail.create(spec, { signal: aborted }),
  );
  if (value === undefined) return signal === null ? exitCodes.jail : signalExitCode(signal);
  if (signal === null) return value;
  await value.stop({ graceMs: 0 });
  return signalExitCode(signal);
}

async function runDetached(job: Job, hasCommand: boolean, log: string | null): Promise<number> {
  const { spec, command, root, json, io } = job;
  let jail: Jail | null = null;
  try {
    const made = await create(spec, io);
    if (typeof made === 'number') {
      await root.remove();
      return made;
    }
    jail = made;
    const pid = hasCommand ? await startDetached(jail, spec, command, log) : null;
    jail.unref();
    if (json) printJson(io.stdout, { jid: jail.jid, name: jail.name, pid });
    else printLine(io.stdout, jail.name ?? String(jail.jid));
    return exitCodes.ok;
  } catch (error) {
    await end(jail, root);
    throw error;
  }
}

async function startDetached(
  jail: Jail,
  spec: JailSpec,
  { file, args, options }: SessionCommand,
  log: string | null,
): Promise<number | null> {
  const output = log === null ? 'ignore' : openOutput(log, spec);
  try {
    const child = jail.spawn(file, args, { ...options, stdio: ['ignore', output, output] });
    child.exited.catch(() => {}); // a failure to start is told below, and later ones are nobody's
    await whenStarted(child);
    child.unref();
    return child.pid ?? null;
  } finally {
    if (typeof output === 'number') closeSync(output);
  }
}

function openOutput(log: string, spec: JailSpec): number {
  const { O_WRONLY, O_CREAT, O_APPEND } = constants;
  return openGuarded(log, changeableBy([spec]), O_WRONLY | O_CREAT | O_APPEND, 0o600);
}
