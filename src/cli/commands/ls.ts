import { findJails } from '../../list.js';
import type { JailInfo } from '../../reports.js';
import { defineCommand } from '../command.js';
import { commonExitCodes } from '../exit-codes.js';
import { pickJails } from '../find-jail.js';
import { printJson, printLine } from '../io.js';
import { escapeText } from '../output/escape.js';
import { printTable } from '../output/print-table.js';
import type { Column } from '../output/table.js';

/** `dfjail ls`, what jls(8) is for. */
export const command = defineCommand({
  name: 'ls',
  summary: 'list the running jails',
  synopsis: ['[-q] [--hostname NAME] [--path DIR] [--address IP] [--lingering] [--json] [JAIL…]'],
  description: [
    'Lists the running jails by jid: on DragonFly all of the host, on Linux those of this user. A JAIL is a jid or a name.',
    'A hostname can be changed from inside the jail: never tell a jail by it. What the kernel says of a jail and no other source confirms is shown as `unconfirmed`.',
  ],
  options: {
    quiet: { type: 'boolean', short: 'q', help: 'Print names only, or jids of jails without one.' },
    hostname: { type: 'string', value: 'NAME', help: 'Only jails that have this hostname now.' },
    path: {
      type: 'string',
      value: 'DIR',
      completes: 'directory',
      help: 'Only jails with this root.',
    },
    lingering: {
      type: 'boolean',
      help: 'Jails too that have ended, while TCP connections of the kernel’s hold their jids.',
    },
    address: {
      type: 'string',
      value: 'IP',
      help: 'Only jails that have this address, in any spelling.',
    },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: 'jail',
  examples: [
    { command: 'dfjail ls', text: 'All jails' },
    { command: 'dfjail ls --address 10.0.0.7', text: 'The jail that has an address' },
    { command: 'dfjail ls --json | jq ".[].jid"', text: 'For a script' },
  ],
  exitCodes: commonExitCodes,
  call({ options, positionals, json, io }) {
    const { hostname, path, address, lingering = false } = options;
    const filter = {
      ...(hostname !== undefined && { hostname }),
      ...(path !== undefined && { path }),
      ...(address !== undefined && { address }),
    };
    const found = findJails(filter, { lingering });
    const jails = pickJails(positionals, found);
    if (json) printJson(io.stdout, jails);
    else if (options.quiet) for (const jail of jails) printLine(io.stdout, shortName(jail));
    else printTable(io, columns, jails);
    return undefined;
  },
});

function shortName({ name, jid }: JailInfo): string {
  return escapeText(name ?? String(jid));
}

/** The columns of a jail, also of `dfjail watch`. */
export const columns: readonly Column<JailInfo>[] = [
  { title: 'JID', align: 'right', text: ({ jid }) => String(jid) },
  { title: 'NAME', least: 8, text: ({ name }) => name ?? '-' },
  {
    title: 'STATE',
    text: ({ state, confirmed }) => (confirmed ? state : 'unconfirmed'),
    paint: ({ state, confirmed }, colour) =>
      !confirmed ? colour.bad : state === 'running' ? colour.good : colour.warn,
  },
  { title: 'HOSTNAME', least: 8, text: ({ hostname }) => hostname },
  { title: 'ADDRESSES', least: 9, text: (jail) => addressText(jail) || '-' },
  { title: 'PATH', least: 6, text: ({ path }) => path },
];

function addressText({ addresses }: JailInfo): string {
  return addresses
    .map(({ address, scopeid }) => (scopeid ? `${address}%${scopeid}` : address))
    .join(' ');
}
