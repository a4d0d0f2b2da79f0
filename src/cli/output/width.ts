import { emoji, marks, patternOf } from './character-class.js';

// Characters that take two columns: East Asian Width W and F of Unicode 15.1, rounded to whole blocks.
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x18b00, 0x18d0f],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f202],
  [0x1f210, 0x1f23b],
  [0x1f240, 0x1f248],
  [0x1f250, 0x1f251],
  [0x1f260, 0x1f265],
  [0x20000, 0x3fffd],
];

// The vowels and finals that complete a Hangul syllable, and what joins.
const JOINING = String.raw`\u1160-\u11ff\ud7b0-\ud7c6\ud7cb-\ud7fb\u200b-\u200d`;
const NO_WIDTH = patternOf(marks, (characters) => new RegExp(`^[${characters}${JOINING}]$`, 'u'));
const EMOJI = patternOf(emoji, (characters) => new RegExp(`^[${characters}]$`, 'u'));
const ASCII = /^[\x20-\x7e]*$/;

/**
 * The columns that a character takes on a terminal.
 *
 * @param character one code point
 * @returns 0, 1 or 2
 */
export function characterWidth(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (NO_WIDTH.test(character)) return 0;
  const wide = WIDE.some(([first, last]) => code >= first && code <= last);
  return wide || EMOJI.test(character) ? 2 : 1;
}

/**
 * The columns that a text takes on a terminal.
 *
 * @param text without control characters
 */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/**
 * The beginning of a text, with … where it was cut.
 *
 * @param text without control characters
 * @param width columns that there are, at least 1
 * @returns of at most that width
 */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 1; // the …
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Fills up with spaces. */
export function padText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(width - textWidth(text), 0));
  return align === 'left' ? text + spaces : spaces + text;
}
