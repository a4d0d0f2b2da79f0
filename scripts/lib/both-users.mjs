// Suites whose tests say something else about root's jails than about those of an ordinary user.
import { type as systemType } from 'node:os';
import { asOrdinaryUser } from './ordinary-user.mjs';
import { add, nothing, runMocha } from './suites.mjs';

const ROOTS =
  'jails are root’s on DragonFly: others can list and look, which the suites as root do too';

/**
 * Runs the tests of a folder below build/test: started by root first as root and then as an ordinary user, else once.
 *
 * @param folder `behaviour`, `security`, `reliability`
 * @param options as those of {@link runMocha}
 */
export function runAsBoth(folder, options = {}) {
  const sum = nothing();
  const isRoot = process.getuid?.() === 0;
  if (systemType() === 'DragonFly') {
    if (isRoot) add(sum, runMocha(folder, `${folder}, as root`, options));
    const title = `${folder}, as an ordinary user`;
    add(sum, { ...nothing(), skipped: 1, reasons: [{ title, reason: ROOTS }] });
    return sum;
  }
  if (!isRoot) {
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
