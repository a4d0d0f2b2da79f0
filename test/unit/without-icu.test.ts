import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { emoji, harmful, marks, patternOf } from '#internal/cli/output/character-class.js';
import { decodeUtf8, hasControlCharacter } from '#internal/text.js';

const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));

// A Node that was built without ICU cannot parse the first, and has no second. In a string handed to RegExp it is \\p{.
const NEEDS_ICU = [/(?<!\\)\\[pP]\{/, /fatal:\s*(true|!0)/, /\bIntl\./, /\.normalize\(['"]NF/];

/** Of every character that there is. */
function everyCharacter(visit: (character: string) => void): void {
  for (let code = 0; code <= 0x10ffff; code++) visit(String.fromCodePoint(code));
}

function byRanges({ ranges }: typeof harmful): RegExp {
  return new RegExp(`^[${ranges}]$`, 'u');
}

describe('a Node without ICU', () => {
  it('can parse all that is installed, and finds nothing in it that it has not', () => {
    const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' });
    const scripts = files.filter((name) => name.endsWith('.js'));
    assert(scripts.length > 100, `only ${scripts.length} files`);
    for (const name of scripts) {
      const code = readFileSync(join(DIST, name), 'utf8');
      for (const pattern of NEEDS_ICU) {
        assert(!pattern.test(code), `${name} has ${pattern.exec(code)?.[0]}`);
      }
    }
  });

  it('knows control characters', () => {
    everyCharacter((character) => {
      assert.equal(hasControlCharacter(`a${character}b`), /\p{Cc}/u.test(character), character);
    });
  });

  it('decodes UTF-8 and nothing else', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const expected = (bytes: Uint8Array) => {
      try {
        return decoder.decode(bytes);
      } catch {
        return null;
      }
    };
    const text = fc.string({ unit: 'binary' }).map((value) => Buffer.from(value));
    const broken = fc.tuple(text, fc.uint8Array({ maxLength: 4 }), text);
    const mixed = broken.map((parts) => new Uint8Array(Buffer.concat(parts)));
    const any = fc.oneof(fc.uint8Array(), text, mixed);
    fc.assert(fc.property(any, (bytes) => assert.equal(decodeUtf8(bytes), expected(bytes))));
    assert.equal(decodeUtf8(Buffer.from('\ufeffa')), '\ufeffa');
  });

  it('still shows nothing that a terminal would act on', () => {
    const fallback = byRanges(harmful);
    everyCharacter((character) => {
      const acts = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.test(character);
      if (acts) assert(fallback.test(character), `U+${character.codePointAt(0)?.toString(16)}`);
      // And hides no letter or sign.
      const readable = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character);
      if (readable)
        assert(!fallback.test(character), `U+${character.codePointAt(0)?.toString(16)}`);
    });
  });

  it('takes no letter for a mark or a picture', () => {
    const mark = byRanges(marks);
    const picture = byRanges(emoji);
    everyCharacter((character) => {
      if (mark.test(character)) assert.match(character, /[\p{Mn}\p{Me}]/u);
      if (picture.test(character)) assert.match(character, /[\p{S}\p{Cn}]/u);
    });
  });

  it('gets the ranges where properties are refused', () => {
    const refused = { properties: String.raw`\p{Nonsense}`, ranges: 'a-c' };
    const pattern = patternOf(refused, (characters) => new RegExp(`^[${characters}]$`, 'u'));
    assert(pattern.test('b') && !pattern.test('d'));
  });
});
