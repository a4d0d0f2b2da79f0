import { getSystemErrorMap } from 'node:util';

/** What strerror(3) says of an error of the model. */
export function strerror(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  for (const [name, text] of getSystemErrorMap().values()) {
    if (name === code) return text[0]?.toUpperCase() + text.slice(1);
  }
  return message;
}
