import { UsageError } from '../failure.js';

/**
 * Reads the value of an option that is a whole number.
 *
 * @param option its name, for the message
 * @param text what was given; undefined: nothing
 * @param least the smallest that it can be. Default 1
 * @throws UsageError
 */
export function positiveInteger(
  option: string,
  text: string | undefined,
  least = 1,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least) return value;
  throw new UsageError(`--${option} must be a whole number of at least ${least}, not ‘${text}’`);
}
