import { invalidValue } from '../errors.js';
import { nearestWord } from '../validate.js';

/** Something that needs others to be there first. */
export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/**
 * The same in an order in which each comes after what it depends on; else in the order given.
 *
 * @throws JailError `ERR_INVALID_ARG_VALUE`: an unknown name, or a cycle, with its names
 */
export function inOrder<T extends Dependent>(all: readonly T[]): T[] {
  const byName = new Map(all.map((one) => [one.name, one]));
  const done = new Set<T>();
  for (const one of all) visit(one, byName, done, []);
  return [...done];
}

function visit<T extends Dependent>(
  one: T,
  byName: ReadonlyMap<string, T>,
  done: Set<T>,
  path: readonly string[],
): void {
  if (done.has(one)) return;
  if (path.includes(one.name)) {
    const cycle = [...path.slice(path.indexOf(one.name)), one.name].join(' → ');
    throw invalidValue(`${one.name}.dependsOn`, 'no cycle', cycle);
  }
  for (const name of one.dependsOn) {
    const other = byName.get(name);
    if (other === undefined) throw unknown(one, name, [...byName.keys()]);
    visit(other, byName, done, [...path, one.name]);
  }
  done.add(one);
}

function unknown({ name }: Dependent, missing: string, names: readonly string[]): Error {
  const nearest = nearestWord(missing, names);
  const hint = nearest === undefined ? undefined : `did you mean ${nearest}?`;
  return invalidValue(`${name}.dependsOn`, 'names that are defined', missing, hint);
}
