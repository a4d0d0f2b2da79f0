import { Jail } from '../../jail.js';
import type { StopOptions } from '../../stop-options.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { jailId } from '../find-jail.js';
import { positiveInteger } from '../options/number.js';
import { eachJail } from '../rc/each.js';
import { tellResults } from '../rc/results.js';
import { isThinFolder, removeThinFolder } from '../thin-folder.js';

const STOPPED = { done: 'stopped', jid: null, state: 'stopped' } as const;

/** `dfjail stop`, as jail(8) has nothing for it. */
export const command = defineCommand({
  name: 'stop',
  summary: 'end jails',
  synopsis: ['[-s SIGNAL] [-t MS] [--json] JAIL…'],
  description: [
    'Ends jails that are given by jid or name, and returns when they are gone. Every process is sent a signal, and is killed when it still runs after the grace time.',
  ],
  options: {
    signal: {
      type: 'string',
      short: 's',
      value: 'SIGNAL',
      help: 'What the processes are sent. Default: SIGTERM',
    },
    grace: {
      type: 'string',
      short: 't',
      value: 'MS',
      help: 'How long they have to end, in ms. Default: 5000; 0 kills at once.',
    },
  },
  positionals: [1, Number.POSITIVE_INFINITY],
  completes: 'jail',
  examples: [
    { command: 'dfjail stop www', text: 'One jail' },
    { command: 'dfjail stop --grace 0 3 4', text: 'Two jails by jid, at once' },
  ],
  exitCodes: commonExitCodes,
  async call({ options, positionals, json, io }) {
    const graceMs = positiveInteger('grace', options.grace, 0);
    const grace = graceMs === undefined ? {} : { graceMs };
    const signal = signalName(options.signal);
    const how = { ...(signal !== undefined && { signal }), ...grace };
    const wanted = positionals.map((name) => ({ name }));
    const results = await eachJail(wanted, async ({ name }) => {
      await stopPlain(jailId(name), how);
      return STOPPED;
    });
    return tellResults({ results, signal: null }, 'stop', json, io);
  },
});

// kill(1) takes names with and without SIG; what is no signal is told by stop().
function signalName(text: string | undefined): NodeJS.Signals | undefined {
  if (text === undefined) return undefined;
  const upper = text.toUpperCase();
  return (upper.startsWith('SIG') ? upper : `SIG${upper}`) as NodeJS.Signals;
}

async function stopPlain(id: number | string, how: StopOptions): Promise<void> {
  const jail = await Jail.open(id);
  const { path } = jail.info();
  await jail.stop(how);
  if (isThinFolder(path)) await removeThinFolder(path);
}
