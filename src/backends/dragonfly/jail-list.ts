import type { JailAddress } from '../../addresses.js';
import { JailError } from '../../errors.js';
import { addressBytes, kernelAddressText, parseKernelAddress } from './kernel-address.js';

/** One row of `jail.list`. It is text that a jail’s root can forge: see {@link parseJailList}. */
export interface JailRow {
  readonly jid: number;
  readonly hostname: string;
  readonly path: string;
  /** In the order of the API, the primary one of each family first: as the kernel lists them. */
  readonly addresses: readonly JailAddress[];
}

/** What `jail.list` holds. */
export interface JailListing {
  /** Newest first, as the kernel lists them; of several rows with one jid only the first. */
  readonly rows: readonly JailRow[];
  /** Line by line: null is one that could not be understood, part of a forged hostname above all. */
  readonly lines: readonly (JailRow | null)[];
}

const MAX_JID = 999_998;
const UNKNOWN_FAMILY = '?family?';

/**
 * Takes `jail.list` apart. Nothing in it is escaped: a row is `jid hostname path address…` with the path from its first
 * `/` after a space, and the addresses taken from the right. A jail with the capability `setHostname` chooses its own
 * hostname, spaces and newlines included, and so can make rows of other jails, or a false path of its own: believe
 * nothing that {@link confirmRows} does not confirm.
 *
 * @param text what sysctl(3) gave; any bytes
 */
export function parseJailList(text: string): JailListing {
  const lines = text === '' ? [] : text.split('\n').map(parseRow);
  return { rows: isOrderly(lines) ? lines : firstOfEach(lines), lines };
}

type Lines = JailListing['lines'];

// As the kernel lists jails: then no jid is there twice.
function isOrderly(lines: Lines): lines is readonly JailRow[] {
  let last = Number.POSITIVE_INFINITY;
  return lines.every((row) => {
    const follows = row !== null && row.jid < last;
    if (follows) last = row.jid;
    return follows;
  });
}

function firstOfEach(lines: Lines): JailRow[] {
  const rows = new Map<number, JailRow>();
  for (const row of lines) if (row !== null && !rows.has(row.jid)) rows.set(row.jid, row);
  return [...rows.values()];
}

// How many rows claim to be a jail.
function countClaims(lines: Lines): ReadonlyMap<number, number> {
  const claims = new Map<number, number>();
  for (const row of lines) if (row !== null) claims.set(row.jid, (claims.get(row.jid) ?? 0) + 1);
  return claims;
}

/**
 * Which rows can be believed. A row is doubtful where its jid does not exist, is claimed by several rows, or is out of
 * order (the kernel lists the newest first); where its path could as well be part of its hostname; after a line that is
 * no row at all; and where it comes right before a doubtful one, whose beginning it may be.
 *
 * @param listing what {@link parseJailList} gave
 * @param exists  does that jail exist, by another source: its sysctl nodes, or the process table?
 * @returns the jids of the rows that are to be believed
 */
export function confirmRows(
  { rows, lines }: JailListing,
  exists: (jid: number) => boolean,
): ReadonlySet<number> {
  const claims = rows.length === lines.length ? null : countClaims(lines);
  const confirmed = new Set<number>();
  let previous: JailRow | null = null;
  for (const row of lines) {
    if (row === null) {
      if (previous !== null) confirmed.delete(previous.jid);
      return confirmed; // whatever follows may be the forger's
    }
    const inOrder: boolean = previous === null || row.jid < previous.jid;
    const claimedOnce = claims === null || claims.get(row.jid) === 1;
    const real = inOrder && claimedOnce && exists(row.jid);
    if (!real && previous !== null) confirmed.delete(previous.jid);
    if (real && !row.path.includes(' /')) confirmed.add(row.jid);
    previous = row;
  }
  return confirmed;
}

function parseRow(line: string): JailRow | null {
  const afterJid = line.indexOf(' ');
  const jid = parseJid(line, afterJid);
  if (jid === null) return null;
  const afterHostname = line.indexOf(' /', afterJid + 1);
  if (afterHostname < 0) return null;
  const { path, addresses } = splitPath(line.slice(afterHostname + 1));
  return { jid, hostname: line.slice(afterJid + 1, afterHostname), path, addresses };
}

const ZERO = 0x30;
const NINE = 0x39;

// The digits before `end`, without a sign or zeros in front. By hand: there is one for every jail.
function parseJid(line: string, end: number): number | null {
  let jid = 0;
  for (let at = 0; at < end; at++) {
    const digit = line.charCodeAt(at);
    if (digit < ZERO || digit > NINE || (at === 0 && digit === ZERO)) return null;
    jid = jid * 10 + digit - ZERO;
    if (jid > MAX_JID) return null;
  }
  return end > 0 ? jid : null;
}

// From the right: a path may hold spaces, an address cannot.
function splitPath(text: string): { path: string; addresses: JailAddress[] } {
  const addresses: JailAddress[] = [];
  let end = text.length;
  for (;;) {
    const space = text.lastIndexOf(' ', end - 1);
    if (space <= 0) break;
    const word = text.slice(space + 1, end);
    const address = parseKernelAddress(word);
    if (address === null && word !== UNKNOWN_FAMILY) break;
    if (address !== null) addresses.push(address);
    end = space;
  }
  return { path: text.slice(0, end), addresses: addresses.reverse() };
}

/**
 * What `jail.list` would hold: the newest jail first, addresses in the kernel's spelling, nothing escaped.
 *
 * @param jails in any order; their jids count up
 */
export function jailListText(jails: readonly JailRow[]): Uint8Array {
  const rows = [...jails]
    .sort((a, b) => b.jid - a.jid)
    .map(({ jid, hostname, path, addresses }) => {
      const texts = addresses.map(({ address }) => kernelAddressText(addressBytes(address)));
      return [jid, hostname, path, ...texts].join(' ');
    });
  return Buffer.from(rows.join('\n'));
}

/** The kernel gives every jail this many bytes of its list; a jail that needs more breaks the list for everybody. */
const SHARE = 1024;
const SLACK = 24;
/** The jid, and the spaces around it. */
const ROW_OVERHEAD = 9;

/** How many bytes a jail's row in `jail.list` needs at most. */
export function listingBytes(spec: {
  readonly path: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
}): number {
  const fixed = ROW_OVERHEAD + Buffer.byteLength(spec.hostname) + Buffer.byteLength(spec.path);
  const texts = spec.addresses.map((address) => kernelAddressText(addressBytes(address)));
  return texts.reduce((sum, text) => sum + 1 + text.length, fixed);
}

/**
 * Refuses a jail whose row would not fit into its share of `jail.list`: the kernel would answer ERANGE to everybody
 * who lists jails, or write behind its buffer.
 *
 * @throws JailError `ERR_JAIL_LIMIT`
 */
export function checkListingBudget(spec: {
  readonly path: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
}): void {
  const bytes = listingBytes(spec);
  const room = SHARE - SLACK;
  if (bytes <= room) return;
  const what = `The path, the hostname and ${spec.addresses.length} addresses of the jail take ${bytes} bytes`;
  const message = `${what} of the kernel's list of jails, which has room for ${room} of each jail`;
  const hint =
    'use fewer addresses or a shorter path: a larger one would break the list for everybody';
  throw new JailError('ERR_JAIL_LIMIT', message, { hint });
}

const LONGEST_HOSTNAME = 255;

/**
 * Refuses a path and addresses that leave no room for the longest hostname, which a jail with `setHostname` may give
 * itself at any time. The kernel prints hostname and path without asking for room, and goes on behind its buffer; where
 * the addresses have none left, it refuses the list to everybody.
 *
 * @throws JailError `ERR_JAIL_LIMIT`
 */
export function checkHostnameRoom(spec: {
  readonly path: string;
  readonly addresses: readonly string[];
}): void {
  const bytes = listingBytes({ ...spec, hostname: '' });
  const room = SHARE - LONGEST_HOSTNAME;
  if (bytes <= room) return;
  const taken = bytes - ROW_OVERHEAD;
  const allowed = room - ROW_OVERHEAD;
  const message = `The path and the addresses of a jail that may set its own hostname can have ${allowed} bytes in the kernel's list of jails, not ${taken}`;
  const hint =
    'use a shorter path or fewer addresses: with the longest hostname the jail could break the list for everybody';
  throw new JailError('ERR_JAIL_LIMIT', message, { hint });
}
