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
