import { Jail } from '../../jail.js';
import { listJails } from '../../list.js';
import {
  jailStatus,
  type RcConf,
  type RcJail,
  type RcOptions,
  type RcResult,
  type RcStatus,
  stopAll,
  stopJail,
} from '../../rc/index.js';
import type { StopOptions } from '../../stop-options.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { printFailure } from '../failure.js';
import { jailId } from '../find-jail.js';
import type { Io } from '../io.js';
import { positiveInteger } from '../options/number.js';
import { loadConf, type RcOptionValues, rcOptions, rcSettings } from '../options/rc.js';
import { type Done, eachJail } from '../rc/each.js';
import { type JailResult, tellResults } from '../rc/results.js';
import { isThinFolder, removeThinFolder } from '../thin-folder.js';

/** `dfjail stop`, what `/etc/rc.d/jail stop` is for, and more. */
export const command = defineCommand({
  name: 'stop',
  summary: 'end jails: those of rc.conf, and any other',
  synopsis: ['[OPTION…] [--json] [JAIL…]'],
  description: [
    'Ends jails that are given by jid or name, and returns when they are gone. One that rc.conf describes is stopped as `/etc/rc.d/jail` does, with its stop command, and its mounts and addresses are taken back, whoever started it. In any other every process is sent a signal, and is killed when it still runs after the grace time. Without a JAIL all jails of rc.conf are stopped, in reverse order.',
  ],
  options: {
    ...rcOptions,
    signal: {
      type: 'string',
      short: 's',
      value: 'SIGNAL',
      help: 'What the processes are sent, of jails that are not of rc.conf. Default: SIGTERM',
    },
    grace: {
      type: 'string',
      short: 't',
      value: 'MS',
      help: 'How long they have to end, in ms. Default: 5000; 0 kills at once.',
    },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: 'jail',
  examples: [
    { command: 'dfjail stop www', text: 'One jail' },
    { command: 'dfjail stop --grace 0 3 4', text: 'Two jails by jid, at once' },
    { command: 'dfjail stop', text: 'All jails of rc.conf' },
  ],
  exitCodes: commonExitCodes,
  async call({ options, positionals, json, io }) {
    const graceMs = positiveInteger('grace', options.grace, 0);
    const signal = signalName(options.signal);
    const how: StopOptions = {
      ...(signal !== undefined && { signal }),
      ...(graceMs !== undefined && { graceMs }),
    };
    const settings = { ...rcSettings(options), ...(graceMs !== undefined && { graceMs }) };
    const results =
      positionals.length === 0
        ? (await stopAll(loadConf(options, json ? null : io), settings)).map(resultOf)
        : await stopSome(positionals, readableConf(options, json, io), settings, how);
    return tellResults({ results, signal: null }, 'stop', json, io);
  },
});

function stopSome(
  names: readonly string[],
  conf: RcConf | null,
  settings: RcOptions,
  how: StopOptions,
): Promise<readonly JailResult[]> {
  const wanted = names.map((name) => ({ name }));
  return eachJail(wanted, async ({ name }) => {
    const jail = conf === null ? undefined : rcJail(name, conf, settings);
    if (jail !== undefined) return stopped(await stopJail(jail, settings));
    await stopPlain(jailId(name), how);
    return stopped({ changed: true });
  });
}

// That rc.conf has a fault is no reason not to end a jail that it may have nothing to do with.
function readableConf(options: RcOptionValues, json: boolean, io: Io): RcConf | null {
  if (options['rc-conf'].length > 0) return loadConf(options, json ? null : io);
  try {
    return loadConf(options, json ? null : io);
  } catch (error) {
    if (!json) printFailure(error, io, 'stop');
    return null;
  }
}

function resultOf({ name, status, error }: RcResult): JailResult {
  if (status === null) return { name, done: null, jid: null, state: null, error };
  return { name, ...stopped(status), error };
}

function stopped({ changed }: Pick<RcStatus, 'changed'>): Done {
  return { done: changed ? 'stopped' : 'did not run', jid: null, state: 'stopped' };
}

// kill(1) takes names with and without SIG; what is no signal is told by stop().
function signalName(text: string | undefined): NodeJS.Signals | undefined {
  if (text === undefined) return undefined;
  const upper = text.toUpperCase();
  return (upper.startsWith('SIG') ? upper : `SIG${upper}`) as NodeJS.Signals;
}

// The jail of rc.conf that is meant, by its name or by the jid that it has now. Another jail may have such a name.
function rcJail(text: string, conf: RcConf, settings: RcOptions): RcJail | undefined {
  const id = jailId(text);
  if (typeof id === 'number') {
    return [...conf.jails.values()].find((jail) => jailStatus(jail, settings).jid === id);
  }
  const jail = conf.jails.get(id);
  if (jail === undefined || jailStatus(jail, settings).state !== 'stopped') return jail;
  return listJails().some(({ name }) => name === id) ? undefined : jail;
}

async function stopPlain(id: number | string, how: StopOptions): Promise<void> {
  const jail = await Jail.open(id);
  const { path } = jail.info();
  await jail.stop(how);
  if (isThinFolder(path)) await removeThinFolder(path);
}
