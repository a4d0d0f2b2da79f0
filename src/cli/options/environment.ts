import type { Io } from '../io.js';

/**
 * Reads every `--env NAME=VALUE`; a NAME alone has the value that dfjail itself was given, if any.
 *
 * @param texts in their order, later ones win
 * @param own the environment of dfjail
 */
export function parseEnvironment(texts: readonly string[], own: Io['env']): Record<string, string> {
  const env: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? own[name] : text.slice(at + 1);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
