import { join } from 'node:path';
import { registryName } from '../../rc/find-running.js';
import { userOptions } from '../../rc/host-user.js';
import { jailSpec } from '../../rc/jail-spec.js';
import { loadRcConf } from '../../rc/load.js';
import type { RcJail } from '../../rc/rc-jail.js';
import type { ServiceSpec } from '../../supervisor/service-spec.js';
import { nearestWord } from '../../validate.js';
import { UsageError } from '../failure.js';
import type { Definitions } from './definitions.js';

/** How the jails of an rc.conf are to be run. */
export interface RcServiceOptions {
  /** The names of those whose exec_start stays in the foreground. */
  readonly foreground: readonly string[];
  /** Where the console logs are that rc.conf does not name. */
  readonly logDirectory: string;
}

/**
 * The jails of an rc.conf(5) as services, whether `jail_enable` is on or not: asking for them is enough.
 *
 * @param text    the file's
 * @param file    for errors
 * @param options {@link RcServiceOptions}
 * @throws RcError `ERR_JAIL_RC`
 * @throws UsageError there is no such jail
 */
export function servicesOfRc(text: string, file: string, options: RcServiceOptions): Definitions {
  const { jails, order, warnings } = loadRcConf({ text, file });
  for (const name of options.foreground) {
    if (jails.has(name)) continue;
    const near = nearestWord(name, [...jails.keys()]);
    const hint = near === undefined ? undefined : `is it ${near}?`;
    throw new UsageError(`${file} has no jail ${name}`, hint);
  }
  const services = order.flatMap((name) => {
    const jail = jails.get(name);
    return jail === undefined ? [] : [[registryName(name), serviceOf(jail, options)] as const];
  });
  return {
    services: Object.fromEntries(services),
    options: {},
    warnings: warnings.map((one) => `${one.file}:${one.line}: ${one.message}`),
  };
}

// `persist` is the supervisor's affair.
function serviceOf(jail: RcJail, { foreground, logDirectory }: RcServiceOptions): ServiceSpec {
  const { persist: _, ...spec } = jailSpec(jail);
  const { name, execStopArgv, execStopTimeoutMs } = jail;
  const log = jail.consoleLog ?? join(logDirectory, `jail_${name}_console.log`);
  return {
    jail: spec,
    command: jail.execStartArgv,
    kind: foreground.includes(name) ? 'simple' : 'oneshot',
    ...userOptions(jail.user),
    ...(jail.login && { login: true }),
    dependsOn: jail.dependsOn.map(registryName),
    log: { file: log },
    stop: {
      ...(execStopArgv.length > 0 && { command: execStopArgv }),
      graceMs: execStopTimeoutMs,
    },
  };
}
