import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { type OutputStream, printJson, printJsonLine } from '#internal/cli/io.js';
import { paint } from '#internal/cli/output/colours.js';
import { escapeJson, escapeText } from '#internal/cli/output/escape.js';
import { type Column, layOutTable } from '#internal/cli/output/table.js';
import { formatBytes, formatTime } from '#internal/cli/output/units.js';
import { cutText, padText, textWidth } from '#internal/cli/output/width.js';
import { wrapText } from '#internal/cli/output/wrap.js';

const plain = paint(process.stdout, { NO_COLOR: '1' });
const text = fc.string({ unit: 'binary', maxLength: 30 });

describe('what dfjail prints', () => {
  it('has no character that a terminal acts on', () => {
    assert.equal(escapeText('a\x1b[2J\r\n\t\x7f\x9b'), 'a\\x1b[2J\\r\\n\\t\\x7f\\x9b');
    assert.equal(escapeText('\u202e\u2028\ud800'), '\\u{202e}\\u{2028}\\u{d800}');
    assert.equal(escapeText('grün 漢字 e\u0301'), 'grün 漢字 e\u0301');
    fc.assert(fc.property(text, (value) => /^[^\p{C}\p{Zl}\p{Zp}]*$/u.test(escapeText(value))));
  });

  it('of JSON leaves the same document, without what a terminal acts on', () => {
    const value = { name: 'a\u009b2J\u202e', lines: ['\u2028', '\u{e0001}', 'grün'] };
    const shown = escapeJson(JSON.stringify(value, null, 2));
    assert.match(shown, /"a\\u009b2J\\u202e"/);
    assert.match(shown, /"\\udb40\\udc01"/);
    assert.deepEqual(JSON.parse(shown), value);
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (any) => {
        const json = escapeJson(JSON.stringify(any, null, 1));
        assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(any)));
        return /^[^\p{C}\p{Zl}\p{Zp}]*$/u.test(json.replaceAll('\n', ''));
      }),
    );
  });

  it('of JSON is done for a terminal, and for nobody else', () => {
    for (const isTTY of [true, false]) {
      const stream: OutputStream = Object.assign(new PassThrough(), { isTTY });
      printJson(stream, ['\u009b']);
      printJsonLine(stream, ['\u202e']);
      const shown = String((stream as PassThrough).read());
      assert.equal(/[\u009b\u202e]/.test(shown), !isTTY);
    }
  });

  it('knows how wide characters are', () => {
    const widths: [string, number][] = [
      ['abc', 3],
      ['grün', 4],
      ['e\u0301', 1],
      ['漢字', 4],
      ['한글', 4],
      ['\u1112\u1161\u11ab', 2],
      ['ｆｕｌｌ', 8],
      ['🚀', 2],
      ['—', 1],
      ['', 0],
    ];
    for (const [value, width] of widths) assert.equal(textWidth(value), width, value);
  });

  it('is cut with … where it does not fit, never within a character', () => {
    assert.equal(cutText('abcdef', 4), 'abc…');
    assert.equal(cutText('abcd', 4), 'abcd');
    assert.equal(cutText('漢字漢字', 4), '漢…');
    assert.equal(cutText('e\u0301e\u0301e\u0301', 2), 'e\u0301…');
    assert.equal(padText('漢', 4), '漢  ');
    assert.equal(padText('a', 3, 'right'), '  a');
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (value, width) => {
        assert.ok(textWidth(cutText(escapeText(value), width)) <= width);
      }),
    );
  });

  it('tables never are wider than the terminal, whatever is in them', () => {
    type Row = readonly [string, string, string];
    const columns: Column<Row>[] = [
      { title: 'FIRST', align: 'right', text: ([first]) => first },
      { title: 'SECOND', least: 5, text: ([, second]) => second },
      { title: 'THIRD', least: 3, text: ([, , third]) => third },
    ];
    const rows = fc.array(fc.tuple(text, text, text), { maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 120 }), (table, width) => {
        const lines = layOutTable(columns, table, width, plain);
        assert.equal(lines.length, table.length + 1);
        for (const line of lines) {
          assert.ok(textWidth(line) <= width, `${textWidth(line)} > ${width}: ${line}`);
          assert.doesNotMatch(line, /[\p{C}]/u);
        }
      }),
    );
  });

  it('tables stand in columns, and only what may be cut is cut', () => {
    const columns: Column<string>[] = [
      { title: 'N', align: 'right', text: (row) => String(row.length) },
      { title: 'TEXT', least: 4, text: (row) => row },
      { title: 'END', text: () => 'end' },
    ];
    const rows = ['漢字漢字漢字', 'ab', 'abcdefghijklm'];
    assert.deepEqual(layOutTable(columns, rows, 16, plain), [
      ' N  TEXT     END',
      ' 6  漢字漢…  end',
      ' 2  ab       end',
      '13  abcdef…  end',
    ]);
    assert.equal(layOutTable(columns, rows, undefined, plain)[3], '13  abcdefghijklm  end');
  });

  it('numbers are short', () => {
    const bytes: [number, string][] = [
      [0, '0'],
      [999, '999'],
      [1000, '1.0K'],
      [1536, '1.5K'],
      [10 * 2 ** 20, '10M'],
      [2 ** 40, '1.0T'],
    ];
    for (const [value, shown] of bytes) assert.equal(formatBytes(value), shown);
    assert.equal(formatTime(3_250), '0:03.25');
    assert.equal(formatTime(3_600_000 * 3 + 2 * 60_000 + 17_000), '3:02:17');
  });

  it('text is wrapped between words', () => {
    assert.deepEqual(wrapText('one two three four five six', 20, 2), [
      '  one two three four',
      '  five six',
    ]);
  });
});
