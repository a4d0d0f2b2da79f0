/**
 * What a jail wrote, for a terminal or a page: a jail may send keys, colours and titles to the one, and turn the
 * direction of the text on the other.
 *
 * @param text    anything
 * @param longest characters that are shown at most
 */
export function printable(text: string, longest = 4000): string {
  const shown = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return shown.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    character === '\n' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
