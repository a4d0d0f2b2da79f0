import { recover } from '../../recover.js';
import type { RecoveredJail } from '../../reports.js';
import { defineCommand } from '../command.js';
import { commonExitCodes, exitCodes } from '../exit-codes.js';
import { describeFailure } from '../failure.js';
import { type Io, printJson, printLine } from '../io.js';
import { paint } from '../output/colours.js';
import { escapeText } from '../output/escape.js';
import { sweepThinFolders } from '../thin-folder.js';

/** `dfjail recover`: what dead programs have left. */
export const command = defineCommand({
  name: 'recover',
  summary: 'take back what killed programs have left',
  synopsis: ['[--json]'],
  description: [
    'When a program and the monitor of its jail are both killed, something may be left on the host: an entry in the registry, mounts, addresses, a control group, the temporary folder of `dfjail run`. This takes it back. Running jails are not touched.',
  ],
  options: {},
  examples: [{ command: 'dfjail recover', text: 'After a crash' }],
  exitCodes: [
    ...commonExitCodes.slice(0, -1),
    { code: '125', meaning: 'Something could not be taken back, or dfjail itself failed.' },
  ],
  async call({ json, io }) {
    const jails = await recover();
    const folders = await sweepThinFolders();
    if (json) printJson(io.stdout, { jails: jails.map(document), folders });
    else printRecovered(jails, folders, io);
    return jails.some(({ failed }) => failed.length > 0) ? exitCodes.jail : exitCodes.ok;
  },
});

function document({ failed, ...jail }: RecoveredJail) {
  return {
    ...jail,
    failed: failed.map(({ what, error }) => ({ what, error: describeFailure(error, 'recover') })),
  };
}

function printRecovered(jails: readonly RecoveredJail[], folders: readonly string[], io: Io): void {
  if (jails.length === 0 && folders.length === 0) printLine(io.stdout, 'nothing was left');
  for (const jail of jails) printJail(jail, io);
  for (const folder of folders) printLine(io.stdout, `removed ${escapeText(folder)}`);
}

function printJail({ jid, name, undone, failed }: RecoveredJail, io: Io): void {
  const who = `jail ${jid}${name === null ? '' : ` (${escapeText(name)})`}`;
  for (const what of undone) printLine(io.stdout, `${who}: ${escapeText(what)}`);
  const colour = paint(io.stderr, io.env);
  for (const { what, error } of failed) {
    const text = `${who}: ${escapeText(what)}: ${escapeText(error.message)}`;
    printLine(io.stderr, colour.bad(text));
  }
}
