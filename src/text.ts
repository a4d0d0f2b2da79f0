import { isUtf8 } from 'node:buffer';

// No \p{…} and no fatal TextDecoder anywhere in the package: a Node without ICU (--without-intl) has neither.

/** The control characters of ASCII, and those from 0x80 on: `\p{Cc}`. */
const CONTROL = /[\0-\x1f\x7f-\x9f]/;

/** Is there a control character in it? */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}

/** The text that bytes are, a byte order mark included; null: they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
