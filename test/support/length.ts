/** Was the long form of a suite asked for (`npm run test:…:long`)? */
export const isLong = process.env.DRAGONFLY_JAIL_LONG === '1';

/** One value for the short form of a suite, which is part of `npm test`, and one for the long form. */
export function byLength<T>(short: T, long: T): T {
  return isLong ? long : short;
}
