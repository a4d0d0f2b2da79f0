import { nearestWord } from '../validate.js';
import { foreignVariables, globalVariables, jailVariables } from './names.js';
import type { RcWarning, Variables } from './shell/variables.js';

/**
 * Warns of variables that look like a jail's and that nobody knows. rc.d/jail would not notice them.
 *
 * @param variables of all files
 * @param list the jails; variables of others are not looked at
 */
export function findUnknown(variables: Variables, list: readonly string[]): RcWarning[] {
  const longestFirst = [...list].sort((one, other) => other.length - one.length);
  return [...variables.values.keys()].flatMap((variable) => {
    const place = variables.place(variable);
    const problem = variable.startsWith('jail_') ? problemOf(variable, longestFirst) : null;
    return problem === null || place === undefined ? [] : [{ ...place, ...problem }];
  });
}

function problemOf(variable: string, names: readonly string[]): Pick<RcWarning, 'message'> | null {
  const rest = variable.slice('jail_'.length);
  if (globalVariables.includes(rest) || isShared(rest)) return null;
  const name = names.find((each) => rest.startsWith(`${each}_`));
  if (name !== undefined) return problemOfJail(variable, rest.slice(name.length + 1));
  if (looksLikeOther(rest)) return null;
  return { message: `${variable} is not known`, ...hintFor(rest, globalVariables, 'jail_') };
}

function problemOfJail(variable: string, what: string): Pick<RcWarning, 'message'> | null {
  if (Object.hasOwn(jailVariables, what)) return null;
  const foreign = Object.hasOwn(foreignVariables, what) ? foreignVariables[what] : undefined;
  const prefix = variable.slice(0, -what.length);
  const hint =
    foreign === undefined ? hintFor(what, Object.keys(jailVariables), prefix) : { hint: foreign };
  return { message: `${variable} is not known`, ...hint };
}

function hintFor(word: string, choices: readonly string[], prefix: string): { hint?: string } {
  const near = nearestWord(word, choices);
  return near === undefined ? {} : { hint: `did you mean ${prefix}${near}?` };
}

function isShared(what: string): boolean {
  return Object.hasOwn(jailVariables, what) && jailVariables[what]?.shared === true;
}

// A variable of a jail that is not in the list: it is described, but not used.
function looksLikeOther(rest: string): boolean {
  const known = [...Object.keys(jailVariables), ...Object.keys(foreignVariables)];
  return known.some((what) => rest.endsWith(`_${what}`));
}
