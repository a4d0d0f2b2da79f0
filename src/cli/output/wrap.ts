import { textWidth } from './width.js';

const NARROWEST = 20;

/**
 * Breaks text between words.
 *
 * @param text one paragraph
 * @param width of a line, in columns, its indentation included
 * @param indent spaces before each line
 * @returns the lines; a word that is too long has one of its own
 */
export function wrapText(text: string, width: number, indent = 0): string[] {
  const room = Math.max(width - indent, NARROWEST);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || textWidth(longer) <= room) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  lines.push(line);
  return lines.map((each) => ' '.repeat(indent) + each);
}
