import { findUnknown } from './find-unknown.js';
import type { RcConf, RcJail } from './rc-jail.js';
import { readDefaultCapabilities } from './read-capabilities.js';
import { readJail } from './read-jail.js';
import { badSetting, isYes, JailSettings, listOf, type Setting, setting } from './settings.js';
import { Variables } from './shell/variables.js';
import { type RcSource, readSource } from './source.js';
import { startOrder } from './start-order.js';

/** What the registry takes as a name, with room for the `_` of one that starts with a digit. */
const MAX_NAME = 62;

/**
 * Reads rc.conf(5) as sh(1) would, without executing anything, and makes jails of it.
 *
 * Plain assignments are read: quotes, backslashes, comments, lines that go on after a backslash, `$name`, `${name}`,
 * `${name:-words}` of earlier variables; later assignments win. What a shell would have to execute is an error with
 * file and line.
 *
 * @param source a path; several paths, read in order, of which those that do not exist are left out (as
 *   {@link rcConfFiles}, the files of a DragonFly system); the text itself; see {@link RcSource}
 * @returns the jails of jail_list, and all variables
 * @throws RcError `ERR_JAIL_RC`: something would have to be executed, a required variable is missing, a value cannot be
 *   used, jails depend on unknown ones or on each other
 * @throws JailSystemError step `read`: `ENOENT`, `EACCES`, …
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @see rc.conf(5), rc.d/jail
 * @example
 * const conf = loadRcConf(['/etc/defaults/rc.conf', '/etc/rc.conf', '/etc/rc.conf.local']);
 * for (const { file, line, message } of conf.warnings) console.warn(`${file}:${line}: ${message}`);
 * const www = conf.jails.get('www');
 */
export function loadRcConf(source: RcSource): RcConf {
  const variables = new Variables();
  for (const { text, file } of readSource(source)) variables.read(text, file);
  const enable = setting(variables, 'jail_enable');
  const list = readList(setting(variables, 'jail_list'), variables);
  const jails = readJails(list, variables);
  const order = startOrder(jails, variables);
  variables.warnings.push(...findUnknown(variables, list));
  return {
    enabled: enable !== null && isYes(enable, variables.warnings),
    list,
    jails,
    order,
    variables: variables.values,
    warnings: variables.warnings,
  };
}

function readList(found: Setting | null, variables: Variables): readonly string[] {
  if (found === null) return [];
  const names = listOf(found.value, /[ \t\n]+/);
  for (const name of names) checkName(name, found);
  const list = [...new Set(names)];
  if (list.length < names.length) {
    const { file, line } = found;
    variables.warnings.push({ file, line, message: 'jail_list names a jail twice' });
  }
  return list;
}

function checkName(name: string, found: Setting): void {
  if (!/^[A-Za-z0-9_]+$/.test(name)) {
    const hint = 'use letters, digits and _: the name is a part of the names of variables';
    throw badSetting(found, `${JSON.stringify(name)} is no name of a jail`, hint);
  }
  if (name.length > MAX_NAME) throw badSetting(found, `${name} is longer than ${MAX_NAME} letters`);
}

function readJails(list: readonly string[], variables: Variables): ReadonlyMap<string, RcJail> {
  const jailList = variables.place('jail_list') ?? { file: 'rc.conf', line: 1 };
  const capabilities = readDefaultCapabilities(variables);
  const around = { jailList, capabilities, warnings: variables.warnings };
  return new Map(
    list.map((name) => [name, readJail(new JailSettings(variables, name), around)] as const),
  );
}
