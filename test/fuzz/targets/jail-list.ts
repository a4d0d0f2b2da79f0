import assert from 'node:assert/strict';
import {
  confirmRows,
  type JailRow,
  jailListText,
  parseJailList,
} from '#internal/backends/dragonfly/jail-list.js';
import { parseKernelAddress } from '#internal/backends/dragonfly/kernel-address.js';
import { allRows } from '../../support/recordings.js';
import type { Target } from '../target.js';

const MAX_HOSTNAME = 255;

/**
 * `jail.list`: any bytes; and then with those bytes as the hostname of one jail between two honest ones, since that is
 * what its root can choose. No row may be believed that is not the kernel's own.
 */
export const jailList: Target = {
  name: 'jail-list',
  seeds: () => [
    Buffer.from('7 www.example.org /jails/www 10.0.0.7 2001:db8:0:0:0:0:0:7\n3 a /b c 127.0.0.1'),
    Buffer.from('host\n5 false /false 10.9.9.9\n4 x /y'),
    ...recorded(),
  ],
  words: [
    ' ',
    ' /',
    '\n',
    '\n5 ',
    '12',
    '9',
    '5',
    '1',
    '2',
    '999998',
    '999999',
    ' 10.0.0.1',
    ' ::1',
    ' 2001:db8:0:0:0:0:0:1',
    ' ?family?',
    '/x',
    '\n12 honest.example.org /jails/one 10.0.0.1',
    '\n5 other.example.org /jails/two',
    '\n9 h /jails/hostile 10.0.0.9',
    ' /jails/hostile 10.0.0.9',
    '\0',
    'é',
  ],
  maxLength: 2048,
  run(input) {
    const text = Buffer.from(input).toString('latin1');
    checkRows(text);
    forge(text.replace(/\0/g, '').slice(0, MAX_HOSTNAME));
  },
};

function recorded(): Buffer[] {
  const lists = allRows().flatMap(({ list }) => (typeof list === 'string' ? [list] : []));
  return [...new Set(lists)].map((list) => Buffer.from(list, 'latin1'));
}

function checkRows(text: string): void {
  const listing = parseJailList(text);
  const jids = new Set(listing.rows.map(({ jid }) => jid));
  assert.equal(jids.size, listing.rows.length);
  for (const { jid, hostname, path } of listing.rows) {
    assert.ok(Number.isInteger(jid) && jid >= 1 && jid <= 999_998);
    assert.ok(path.startsWith('/') && !hostname.includes('\n') && !path.includes('\n'));
  }
  for (const jid of confirmRows(listing, () => true)) assert.ok(jids.has(jid));
  assert.equal(confirmRows(listing, () => false).size, 0);
}

function address(text: string): JailRow['addresses'][number] {
  const parsed = parseKernelAddress(text);
  assert.ok(parsed);
  return parsed;
}

const first: JailRow = {
  jid: 12,
  hostname: 'honest.example.org',
  path: '/jails/one',
  addresses: [address('10.0.0.1')],
};
const last: JailRow = { jid: 5, hostname: 'other.example.org', path: '/jails/two', addresses: [] };

function forge(hostname: string): void {
  const hostile: JailRow = {
    jid: 9,
    hostname,
    path: '/jails/hostile',
    addresses: [address('10.0.0.9')],
  };
  const real = new Map([first, hostile, last].map((row) => [row.jid, row]));
  // The bytes of the hostname are its characters here.
  const text = Buffer.from(jailListText([...real.values()])).toString();
  const listing = parseJailList(text);
  const confirmed = confirmRows(listing, (jid) => real.has(jid));
  for (const row of listing.rows)
    if (confirmed.has(row.jid)) assert.deepEqual(row, real.get(row.jid));
}
