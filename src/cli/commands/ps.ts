import { listProcesses } from '../../processes.js';
import type { ProcessInfo } from '../../reports.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { pickJails } from '../find-jail.js';
import { printJson } from '../io.js';
import { printTable } from '../output/print-table.js';
import type { Column } from '../output/table.js';
import { formatBytes, formatTime } from '../output/units.js';

/** `dfjail ps`, what ps(1) with -J is for. */
export const command = defineCommand({
  name: 'ps',
  summary: 'list the processes in jails',
  synopsis: ['[-a] [--json] [JAIL…]'],
  description: [
    'Lists the processes of all jails, or of those that are given by jid or name. PID is the host’s number of a process, INSIDE the one that it has in its jail; USER is its user id as the jail sees it.',
    'Commands and arguments are what the processes say of themselves; control characters are shown as `\\x1b`.',
  ],
  options: {
    all: { type: 'boolean', short: 'a', help: 'Processes of the host as well; their jid is 0.' },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: 'jail',
  examples: [
    { command: 'dfjail ps', text: 'The processes of all jails' },
    { command: 'dfjail ps www', text: 'Those of one jail' },
  ],
  exitCodes: commonExitCodes,
  call({ options, positionals, json, io }) {
    const jids = new Set(pickJails(positionals).map(({ jid }) => jid));
    const everything = options.all && positionals.length === 0;
    const processes = listProcesses().filter(({ jid }) => everything || jids.has(jid));
    processes.sort((a, b) => a.jid - b.jid || a.pid - b.pid);
    if (json) printJson(io.stdout, processes);
    else printTable(io, columns, processes);
    return undefined;
  },
});

const columns: readonly Column<ProcessInfo>[] = [
  { title: 'JID', align: 'right', text: ({ jid }) => String(jid) },
  { title: 'PID', align: 'right', text: ({ pid }) => String(pid) },
  { title: 'INSIDE', align: 'right', text: ({ jailPid }) => String(jailPid) },
  { title: 'USER', align: 'right', text: ({ uid }) => String(uid) },
  {
    title: 'STATE',
    text: ({ state }) => state,
    paint: ({ state }, colour) =>
      state === 'running' ? colour.good : state === 'zombie' ? colour.bad : undefined,
  },
  { title: 'THR', align: 'right', text: ({ threads }) => String(threads) },
  { title: 'RSS', align: 'right', text: ({ rss }) => formatBytes(rss) },
  { title: 'TIME', align: 'right', text: ({ cpuTime }) => formatTime(cpuTime) },
  { title: 'TTY', least: 3, text: ({ tty }) => tty ?? '-' },
  { title: 'COMMAND', least: 8, text: commandLine },
];

// As ps(1) has it: in brackets when a process has no arguments (any more).
function commandLine({ args, command }: ProcessInfo): string {
  return args.length > 0 ? args.join(' ') : `[${command}]`;
}
