import { restartJail } from '../../rc/index.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { interruptible } from '../interrupt.js';
import { loadConf, rcOptions, rcSettings } from '../options/rc.js';
import { eachJail } from '../rc/each.js';
import { pickRcJails } from '../rc/pick.js';
import { tellResults } from '../rc/results.js';

/** `dfjail restart`, what `/etc/rc.d/jail restart` is for. */
export const command = defineCommand({
  name: 'restart',
  summary: 'stop the jails of rc.conf, and start them again',
  synopsis: ['[OPTION…] [--json] NAME…'],
  description: [
    'Stops each jail, waits until it is gone, and starts it with what rc.conf says now. A jail that does not run is started.',
  ],
  options: rcOptions,
  positionals: [1, Number.POSITIVE_INFINITY],
  completes: 'rc-jail',
  examples: [{ command: 'dfjail restart www', text: 'After a change of rc.conf' }],
  exitCodes: commonExitCodes,
  async call({ options, positionals, json, io }) {
    const jails = pickRcJails(positionals, loadConf(options, json ? null : io), options);
    const { value: results = [], signal } = await interruptible(io, (aborted) =>
      eachJail(jails, async (jail) => {
        const { jid, state } = await restartJail(jail, { ...rcSettings(options), signal: aborted });
        return { done: jid === null ? state : `started again as jail ${jid}`, jid, state };
      }),
    );
    return tellResults({ results, signal }, 'restart', json, io);
  },
});
