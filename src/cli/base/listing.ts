import { escapeText } from '../output/escape.js';
import { padText } from '../output/width.js';

const HEADER = 'JID\tHostname\tPath\t\tIPs\n';
const NOTHING = '(null)'; // what printf(3) makes of a null pointer
const NO_ADDRESS = '(none)';

/** One line of `jail.list` as jls(8) takes it apart; null: a part that is not there. */
export interface ListedRow {
  readonly jid: string | null;
  readonly hostname: string | null;
  readonly path: string | null;
  readonly addresses: string | null;
}

/**
 * What jls(8) prints, byte for byte, forged rows and all: a hostname may hold whatever the jail's root likes, and jls
 * takes the list apart at spaces and line breaks.
 *
 * @param list what the sysctl `jail.list` holds
 * @param terminal for people: what a terminal would act on is escaped
 * @returns nothing at all when there are no jails
 * @see usr.sbin/jls/jls.c
 */
export function formatListing(list: Uint8Array, terminal: boolean): Uint8Array {
  if (list.length === 0) return new Uint8Array();
  const rows = splitListing(list);
  const lines = rows.map(terminal ? lineForPeople : lineOfBytes);
  return Buffer.from(HEADER + lines.join(''), terminal ? 'utf8' : 'latin1');
}

/** The rows as jls(8) sees them, a character for each byte. */
export function splitListing(list: Uint8Array): ListedRow[] {
  const [text = ''] = Buffer.from(list).toString('latin1').split('\0', 1);
  return text.split('\n').map(splitRow);
}

// As strtok(3) does: spaces in a row count once, and what is empty is not there.
function splitRow(line: string): ListedRow {
  const [jid, afterJid] = cutToken(line);
  const [hostname, afterHostname] = cutToken(afterJid);
  const [path, rest] = cutToken(afterHostname);
  return { jid, hostname, path, addresses: rest === '' ? null : rest };
}

function cutToken(text: string): [token: string | null, rest: string] {
  const start = text.search(/[^ ]/);
  if (start < 0) return [null, ''];
  const end = text.indexOf(' ', start);
  return end < 0 ? [text.slice(start), ''] : [text.slice(start, end), text.slice(end + 1)];
}

function lineOfBytes({ jid, hostname, path, addresses }: ListedRow): string {
  const columns = [
    (jid ?? NOTHING).padEnd(8),
    (hostname ?? NOTHING).padEnd(15),
    ` ${(path ?? NOTHING).padEnd(15)}`,
    ` ${addresses ?? NO_ADDRESS}`,
  ];
  return `${columns.join('')}\n`;
}

function lineForPeople({ jid, hostname, path, addresses }: ListedRow): string {
  const columns = [
    padText(shown(jid ?? NOTHING), 8),
    padText(shown(hostname ?? NOTHING), 15),
    ` ${padText(shown(path ?? NOTHING), 15)}`,
    ` ${shown(addresses ?? NO_ADDRESS)}`,
  ];
  return `${columns.join('')}\n`;
}

function shown(bytes: string): string {
  return escapeText(Buffer.from(bytes, 'latin1').toString('utf8'));
}
