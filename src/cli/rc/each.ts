import type { JailResult } from './results.js';

/** What was done with a jail. */
export type Done = Pick<JailResult, 'done' | 'jid' | 'state'>;

/**
 * Does something with jails one after the other; one that fails does not keep the others from it.
 *
 * @param jails in this order
 * @param action what is done
 */
export async function eachJail<T extends { readonly name: string }>(
  jails: readonly T[],
  action: (jail: T) => Promise<Done>,
): Promise<readonly JailResult[]> {
  const results: JailResult[] = [];
  for (const jail of jails) {
    const { name } = jail;
    try {
      results.push({ name, ...(await action(jail)), error: null });
    } catch (error) {
      results.push({ name, done: null, jid: null, state: null, error });
    }
  }
  return results;
}
