import { type RcOptions, resolveOptions } from './options.js';
import { RcError } from './rc-error.js';
import type { RcConf, RcJail } from './rc-jail.js';
import { startJail } from './start-jail.js';
import type { RcResult, RcStatus } from './status.js';
import { stopJail } from './stop-jail.js';

/**
 * Starts all jails of jail_list, one after the other, each after those that it depends on. One that fails does not stop
 * the rest, but for those that depend on it. With jail_enable off nothing is done.
 *
 * @param conf    of {@link loadRcConf}
 * @param options see {@link RcOptions}
 * @returns one result per jail, in the order done
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: of the options
 * @example
 * for (const { name, error } of await startAll(conf)) if (error !== null) console.error(name, error.message);
 */
export async function startAll(
  conf: RcConf,
  options: RcOptions = {},
): Promise<readonly RcResult[]> {
  resolveOptions(options);
  if (!conf.enabled) return [];
  const results = new Map<string, RcResult>();
  for (const jail of jailsOf(conf, conf.order)) {
    const failed = jail.dependsOn.find((name) => results.get(name)?.status === null);
    const result =
      failed === undefined
        ? await resultOf(jail, () => startJail(jail, options))
        : { name: jail.name, status: null, error: notStarted(jail, failed, results.get(failed)) };
    results.set(jail.name, result);
  }
  return [...results.values()];
}

/**
 * Stops all jails of jail_list, in the reverse of the order in which {@link startAll} starts them, whatever jail_enable
 * says. One that fails does not stop the rest.
 *
 * @param conf    of {@link loadRcConf}
 * @param options see {@link RcOptions}
 * @returns one result per jail, in the order done
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: of the options
 * @example await stopAll(loadRcConf('/etc/rc.conf'), { graceMs: 10_000 });
 */
export async function stopAll(conf: RcConf, options: RcOptions = {}): Promise<readonly RcResult[]> {
  resolveOptions(options);
  const results: RcResult[] = [];
  for (const jail of jailsOf(conf, [...conf.order].reverse())) {
    results.push(await resultOf(jail, () => stopJail(jail, options)));
  }
  return results;
}

function jailsOf({ jails }: RcConf, names: readonly string[]): readonly RcJail[] {
  return names.flatMap((name) => jails.get(name) ?? []);
}

async function resultOf({ name }: RcJail, act: () => Promise<RcStatus>): Promise<RcResult> {
  try {
    return { name, status: await act(), error: null };
  } catch (error) {
    return { name, status: null, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function notStarted(jail: RcJail, needed: string, result: RcResult | undefined): RcError {
  const message = `Jail ${jail.name} was not started: it depends on ${needed}, which has failed`;
  const hint = `see to ${needed} first: ${result?.error?.message ?? 'it was not started'}`;
  return new RcError(message, { file: null, line: null, hint, cause: result?.error });
}
