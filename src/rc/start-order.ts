import { RcError } from './rc-error.js';
import type { RcJail } from './rc-jail.js';
import type { Variables } from './shell/variables.js';

/**
 * The order in which jails are started: as in jail_list, but each after those that it depends on.
 *
 * @param jails in the order of jail_list
 * @param variables where the dependencies come from, for errors
 * @throws RcError a jail that is not in jail_list, or jails that wait for each other
 */
export function startOrder(
  jails: ReadonlyMap<string, RcJail>,
  variables: Variables,
): readonly string[] {
  const order = new Set<string>();
  const visit = (jail: RcJail, path: readonly string[]) => {
    if (order.has(jail.name)) return;
    const from = path.indexOf(jail.name);
    if (from >= 0) throw cycle([...path.slice(from), jail.name], variables);
    for (const name of jail.dependsOn) {
      const needed = jails.get(name);
      if (needed === undefined) throw unknown(jail, name, variables);
      visit(needed, [...path, jail.name]);
    }
    order.add(jail.name);
  };
  for (const jail of jails.values()) visit(jail, []);
  return [...order];
}

function unknown(jail: RcJail, name: string, variables: Variables): RcError {
  const hint = `add ${name} to jail_list, or take it out of jail_${jail.name}_depends`;
  return dependsError(
    jail.name,
    `Jail ${jail.name} depends on ${name}, which is not in jail_list`,
    variables,
    hint,
  );
}

function cycle(names: readonly string[], variables: Variables): RcError {
  const [first = ''] = names;
  const hint = 'take one of them out of the depends of another';
  return dependsError(first, `Jails wait for each other: ${names.join(' → ')}`, variables, hint);
}

function dependsError(name: string, message: string, variables: Variables, hint: string): RcError {
  const { file = null, line = null } = variables.place(`jail_${name}_depends`) ?? {};
  return new RcError(message, { file, line, hint });
}
