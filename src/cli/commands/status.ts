import { jailStatus, type RcConf, type RcOptions, type RcStatus } from '../../rc/index.js';
import { defineCommand } from '../command.js';
import { commonExitCodes, exitCodes } from '../exit-codes.js';
import { findJail } from '../find-jail.js';
import { printJson, printLine } from '../io.js';
import { loadConf, rcOptions, rcSettings } from '../options/rc.js';
import { escapeText } from '../output/escape.js';
import { printTable } from '../output/print-table.js';
import type { Column } from '../output/table.js';

/** `dfjail status`, what `/etc/rc.d/jail status` is for. */
export const command = defineCommand({
  name: 'status',
  summary: 'tell which jails of rc.conf run',
  synopsis: ['[OPTION…] [-q] [--json] [JAIL…]'],
  description: [
    'Tells of the jails of rc.conf, or of those that are given, whether they run; others may be given by jid or name. `stale` is a jail that is gone although its id file is there: `dfjail start` starts it, `dfjail stop` tidies up.',
  ],
  options: {
    ...rcOptions,
    quiet: { type: 'boolean', short: 'q', help: 'Print names only, of all that were asked for.' },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: 'rc-jail',
  examples: [
    { command: 'dfjail status', text: 'All jails of rc.conf' },
    { command: 'dfjail status www || dfjail start www', text: 'Start a jail unless it runs' },
  ],
  exitCodes: [
    { code: '0', meaning: 'All of them run.' },
    { code: '1', meaning: 'At least one of them does not run.' },
    ...commonExitCodes.slice(1),
  ],
  call({ options, positionals, json, io }) {
    const conf = loadConf(options, json ? null : io);
    const rows = statuses(positionals, conf, rcSettings(options));
    if (json) printJson(io.stdout, rows);
    else if (options.quiet) for (const { name } of rows) printLine(io.stdout, escapeText(name));
    else printTable(io, columns, rows);
    return rows.every(({ state }) => state === 'running') ? exitCodes.ok : exitCodes.no;
  },
});

type Row = Pick<RcStatus, 'name' | 'state' | 'jid' | 'hostname' | 'path'> & Partial<RcStatus>;

function statuses(names: readonly string[], conf: RcConf, settings: RcOptions): readonly Row[] {
  const wanted = names.length === 0 ? conf.list : names;
  return wanted.map((name) => {
    const jail = conf.jails.get(name);
    return jail === undefined ? plainStatus(name) : jailStatus(jail, settings);
  });
}

// Of a jail that rc.conf does not know there is only what runs.
function plainStatus(id: string): Row {
  const { jid, name, hostname, path } = findJail(id);
  return { name: name ?? String(jid), state: 'running', jid, hostname, path };
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', least: 8, text: ({ name }) => name },
  {
    title: 'STATE',
    text: ({ state }) => state,
    paint: ({ state }, colour) =>
      ({ running: colour.good, stopped: colour.dim, stale: colour.bad })[state],
  },
  { title: 'JID', align: 'right', text: ({ jid }) => (jid === null ? '-' : String(jid)) },
  { title: 'HOSTNAME', least: 8, text: ({ hostname }) => hostname ?? '-' },
  { title: 'PATH', least: 6, text: ({ path }) => path },
];
