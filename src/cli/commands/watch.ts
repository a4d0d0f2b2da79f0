import type { JailEvent } from '../../reports.js';
import { watchJails } from '../../watch.js';
import { defineCommand } from '../command.js';
import { commonExitCodes, exitCodes, signalExitCode } from '../exit-codes.js';
import { interruptible } from '../interrupt.js';
import { type Io, printJsonLine, printLine } from '../io.js';
import { positiveInteger } from '../options/number.js';
import { paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';
import { cutText } from '../output/width.js';

/** `dfjail watch`: jails as they come and go. */
export const command = defineCommand({
  name: 'watch',
  summary: 'tell of jails as they come, change and go',
  synopsis: ['[-n COUNT] [--interval MS] [--json]'],
  description: [
    'Prints a line for every jail that is created, changed or removed from now on, until it is interrupted. With `--json` every line is a JSON document.',
  ],
  options: {
    count: { type: 'string', short: 'n', value: 'COUNT', help: 'End after so many events.' },
    interval: { type: 'string', value: 'MS', help: 'How often to look, in ms. Default 250.' },
  },
  examples: [
    { command: 'dfjail watch', text: 'Until Ctrl-C' },
    { command: 'dfjail watch -n 1', text: 'Wait until something happens' },
  ],
  exitCodes: [...commonExitCodes, { code: '128+N', meaning: 'Signal N ended it: 130 for Ctrl-C.' }],
  async call({ options: given, json, io }) {
    const count = positiveInteger('count', given.count) ?? Number.POSITIVE_INFINITY;
    const intervalMs = positiveInteger('interval', given.interval);
    const options = intervalMs === undefined ? {} : { intervalMs };
    const { signal } = await interruptible(io, async (aborted) => {
      let seen = 0;
      for await (const event of watchJails({ signal: aborted, ...options })) {
        printEvent(event, json, io);
        if (++seen >= count) break;
      }
    });
    return signal === null ? exitCodes.ok : signalExitCode(signal);
  },
});

function printEvent({ type, jail }: JailEvent, json: boolean, io: Io): void {
  if (json) {
    printJsonLine(io.stdout, { type, jail });
    return;
  }
  const { jid, name, hostname, state, addresses } = jail;
  const where = addresses.map(({ address }) => address).join(' ');
  const text = `${jid} ${name ?? '-'} ${state} ${hostname} ${where}`.trimEnd();
  const colour = paint(io.stdout, io.env);
  const mark = { created: colour.good, changed: colour.warn, removed: colour.bad }[type];
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  const room = Math.max(width - type.length - 1, 1);
  printLine(io.stdout, `${mark(type)} ${cutText(escapeText(text), room)}`);
}
