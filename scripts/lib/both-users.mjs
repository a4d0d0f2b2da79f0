// Suites whose tests say something else about root's jails than about those of an ordinary user.
import { asOrdinaryUser } from './ordinary-user.mjs';
import { add, nothing, runMocha } from './suites.mjs';

/**
 * Runs the tests of a folder below build/test: started by root first as root and then as an ordinary user, else once.
 *
 * @param folder `behaviour`, `security`, `reliability`
 * @param options as those of {@link runMocha}
 */
export function runAsBoth(folder, options = {}) {
  const sum = nothing();
  if (process.getuid?.() !== 0) {
    add(sum, runMocha(folder, folder, options));
    return sum;
  }
  add(sum, runMocha(folder, `${folder}, as root`, options));
  const title = `${folder}, as an ordinary user`;
  add(
    sum,
    asOrdinaryUser((user) => runMocha(folder, title, { ...options, ...user })),
  );
  return sum;
}
