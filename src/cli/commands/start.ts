import {
  type RcConf,
  type RcOptions,
  type RcResult,
  type RcStatus,
  startAll,
  startJail,
} from '../../rc/index.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { interruptible } from '../interrupt.js';
import { confNames, loadConf, type RcOptionValues, rcOptions, rcSettings } from '../options/rc.js';
import { type Done, eachJail } from '../rc/each.js';
import { pickRcJails } from '../rc/pick.js';
import { type JailResult, tellResults } from '../rc/results.js';

/** `dfjail start`, what `/etc/rc.d/jail start` is for. */
export const command = defineCommand({
  name: 'start',
  summary: 'start the jails of rc.conf',
  synopsis: ['[OPTION…] [--json] [NAME…]'],
  description: [
    'Starts jails as `/etc/rc.d/jail` does, from the `jail_*` variables of rc.conf(5): in the order of `jail_list`, those that others depend on first, with their mounts, addresses, id file and console log. A start that fails is taken back, and does not keep the others from being started. Without a NAME all are started, if `jail_enable` is YES.',
  ],
  options: rcOptions,
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: 'rc-jail',
  examples: [
    { command: 'dfjail start', text: 'All jails' },
    { command: 'dfjail start -f /usr/local/etc/jails.conf www', text: 'One jail of another file' },
  ],
  exitCodes: commonExitCodes,
  async call({ options, positionals, json, io }) {
    const conf = loadConf(options, json ? null : io);
    const { value: results = [], signal } = await interruptible(io, (aborted) =>
      start(conf, positionals, options, { ...rcSettings(options), signal: aborted }),
    );
    return tellResults({ results, signal }, 'start', json, io);
  },
});

async function start(
  conf: RcConf,
  names: readonly string[],
  options: RcOptionValues,
  settings: RcOptions,
): Promise<readonly JailResult[]> {
  if (names.length > 0) {
    const jails = pickRcJails(names, conf, options).toSorted(
      (a, b) => conf.order.indexOf(a.name) - conf.order.indexOf(b.name),
    );
    return eachJail(jails, async (jail) => started(await startJail(jail, settings)));
  }
  if (!conf.enabled) {
    const hint = 'set jail_enable="YES" there, or name the jails';
    throw new UsageError(`jail_enable is not YES in ${confNames(options)}`, hint);
  }
  return (await startAll(conf, settings)).map(resultOf);
}

function resultOf({ name, status, error }: RcResult): JailResult {
  if (status === null) return { name, done: null, jid: null, state: null, error };
  return { name, ...started(status), error };
}

function started({ jid, state, changed }: RcStatus): Done {
  return { done: `${changed ? 'started' : 'runs already'} as jail ${jid}`, jid, state };
}
