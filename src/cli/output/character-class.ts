/** Characters by their Unicode properties, and by ranges of numbers for a Node without ICU, which knows no properties. */
interface CharacterClass {
  /** What stands between the brackets. */
  readonly properties: string;
  readonly ranges: string;
}

/**
 * Everything that is no letter, sign or plain space: control characters of both kinds, what turns the direction of text
 * round or is invisible, halves of surrogate pairs, private use. By properties also what Unicode has not given a
 * meaning yet.
 */
export const harmful: CharacterClass = {
  properties: '\\p{C}\\p{Zl}\\p{Zp}',
  ranges: [
    String.raw`\0-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e`,
    String.raw`\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\ufffb\ufffe\uffff\u{110bd}\u{110cd}\u{13430}-\u{1343f}`,
    String.raw`\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{10ffff}`,
  ].join(''),
};

/** Marks that stand on the letter before them; by ranges those of Latin, Cyrillic, Hebrew, Arabic, and for all scripts. */
export const marks: CharacterClass = {
  properties: '\\p{Mn}\\p{Me}',
  ranges: [
    String.raw`\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f`,
    String.raw`\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f`,
  ].join(''),
};

/** Pictures that take two columns; by ranges whole blocks, and the commonest of the older signs. */
export const emoji: CharacterClass = {
  properties: '\\p{Emoji_Presentation}',
  ranges: String.raw`\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u2705\u274c\u2753-\u2755\u2757\u2b50\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}`,
};

/**
 * The regular expression of a class.
 *
 * @param wanted the class
 * @param build  makes it of what stands between the brackets
 */
export function patternOf(
  { properties, ranges }: CharacterClass,
  build: (characters: string) => RegExp,
): RegExp {
  try {
    return build(properties);
  } catch {
    return build(ranges);
  }
}
