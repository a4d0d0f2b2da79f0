import { harmful, patternOf } from './character-class.js';

const HARMFUL = patternOf(harmful, (characters) => new RegExp(`[${characters}]`, 'gu'));

/**
 * Makes text that a jail has chosen fit to be shown on a terminal.
 *
 * @param text anything
 * @returns on one line, with `\n`, `\t`, `\x1b`, `\u{202e}` in the place of what a terminal would act on
 * @example escapeText('a\x1b[2J') // a\x1b[2J, as characters
 */
export function escapeText(text: string): string {
  return text.replace(HARMFUL, escapeCharacter);
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xff) return `\\u{${code.toString(16)}}`;
  return SHORT[character] ?? `\\x${code.toString(16).padStart(2, '0')}`;
}

/**
 * Makes JSON fit to be shown on a terminal: it means the same, with `\\u001b` and the like in the place of what a terminal
 * would act on.
 *
 * @param json a document
 * @returns the same document; what breaks its lines stays
 */
export function escapeJson(json: string): string {
  return json.replace(HARMFUL, (character) =>
    character === '\n' ? character : Array.from(units(character), unitEscape).join(''),
  );
}

function* units(character: string): Generator<number> {
  for (let at = 0; at < character.length; at++) yield character.charCodeAt(at);
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
