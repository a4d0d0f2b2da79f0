import assert from 'node:assert/strict';
import { parseFstab, RcError } from 'dragonfly-jail/rc';
import fc from 'fast-check';

describe('fstab(5)', () => {
  it('is read line by line, with comments, tabs and missing fields', () => {
    const text = `# what the jail sees
/usr/ports\t/jails/www/usr/ports   null ro 0 0

  devfs /jails/www/dev devfs rw,late
tmpfs /jails/www/tmp tmpfs
`;
    assert.deepEqual(
      parseFstab(text, '/etc/fstab.www').map(({ file, ...entry }) => entry),
      [
        {
          source: '/usr/ports',
          target: '/jails/www/usr/ports',
          type: 'null',
          options: ['ro'],
          line: 2,
        },
        {
          source: 'devfs',
          target: '/jails/www/dev',
          type: 'devfs',
          options: ['rw', 'late'],
          line: 4,
        },
        { source: 'tmpfs', target: '/jails/www/tmp', type: 'tmpfs', options: ['rw'], line: 5 },
      ],
    );
  });

  it('has blanks and letters of all kinds in names', () => {
    const [entry] = parseFstab('/a\\040b /j/\\303\\244\\011 null ro\n');
    assert.deepEqual([entry?.source, entry?.target], ['/a b', '/j/ä\t']);
  });

  it('says which line has too few fields', () => {
    assert.throws(() => parseFstab('# one\n/usr /jail\n', '/etc/fstab.www'), {
      code: 'ERR_JAIL_RC',
      file: '/etc/fstab.www',
      line: 2,
    });
  });

  it('gives back every name that was written into it', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/\0/.test(text));
    const escaped = (text: string) =>
      [...Buffer.from(text)]
        .map((byte) =>
          byte > 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x23
            ? String.fromCharCode(byte)
            : `\\${byte.toString(8).padStart(3, '0')}`,
        )
        .join('');
    fc.assert(
      fc.property(name, name, (source, target) => {
        const [entry] = parseFstab(`${escaped(source)} ${escaped(target)} null\n`);
        assert.deepEqual([entry?.source, entry?.target], [source, target]);
      }),
    );
  });

  it('is entries or an error of its own, whatever the text', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(' ', '\t', '\n', '#', '\\040', '\\777', ','),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          for (const { line } of parseFstab(words.join(''))) assert.ok(line >= 1);
        } catch (error) {
          assert.ok(error instanceof RcError, String(error));
        }
      }),
    );
  });
});
