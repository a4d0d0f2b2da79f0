import assert from 'node:assert/strict';
import { type FstabEntry, parseFstab } from '#internal/rc/fstab.js';
import { RcError } from '#internal/rc/rc-error.js';
import type { Target } from '../target.js';

const SAMPLE = `# Device  Mountpoint  FStype  Options  Dump  Pass
/usr/ports  /jails/www/usr/ports  null  ro  0 0
tmpfs\t/jails/www/tmp\ttmpfs\trw,noexec,size=64m\t0\t0
/with\\040blank /jails/www/a\\011b null rw,noauto

`;

/** fstab(5) of a jail: an entry, or an error that names the line. Written out again, an entry is the same. */
export const fstab: Target = {
  name: 'fstab',
  seeds: () => [Buffer.from(SAMPLE), Buffer.from('/a /b null\n')],
  words: [
    ' ',
    '\t',
    '\n',
    '\r',
    '#',
    '\\040',
    '\\000',
    '\\012',
    '\\134',
    '\\043',
    '\\377',
    '\\303\\251',
    ',',
    'noauto',
    '/a /b null ro',
    '\0',
    'é',
  ],
  maxLength: 4096,
  run(input) {
    const entries = entriesOf(Buffer.from(input).toString());
    for (const entry of entries) check(entry);
  },
};

function entriesOf(text: string): readonly FstabEntry[] {
  try {
    return parseFstab(text);
  } catch (error) {
    assert.ok(error instanceof RcError, String(error));
    assert.ok((error.line ?? 0) >= 1);
    return [];
  }
}

function check(entry: FstabEntry): void {
  const { source, target, type, options } = entry;
  for (const field of [source, target, type, ...options]) assert.ok(!field.includes('\0'));
  // A field that is empty, or options that are nothing but commas, cannot be written.
  if (source === '' || target === '' || type === '' || options.length === 0) return;
  const line = [source, target, type, options.join(',')].map(escaped).join(' ');
  assert.deepEqual(parseFstab(line), [{ ...entry, line: 1 }]);
}

function escaped(field: string): string {
  return field.replace(/[ \t\r\n\\#]/g, (letter) => {
    return `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}
