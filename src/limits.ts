import { invalidType, invalidValue, unsupported } from './errors.js';
import { assertInteger, assertKnownKeys, assertObject } from './validate.js';

/** One number for both limits, or each of them. `Infinity` is no limit. */
export type LimitValue = number | { soft: number; hard: number };

/**
 * Limits of a jail or of a command. All but the last two are those of setrlimit(2), and hold for each process; they
 * are inherited by everything a command starts.
 */
export interface Limits {
  /** Open files of a process. */
  nofile?: LimitValue;
  /** Processes of one user. Root is not bound by it on Linux: see {@link Limits.processes}. */
  nproc?: LimitValue;
  /** Size of a core dump in bytes; 0 for none. */
  core?: LimitValue;
  /** CPU time in seconds: SIGXCPU at the soft limit, SIGKILL at the hard one. */
  cpu?: LimitValue;
  /** Address space in bytes. */
  as?: LimitValue;
  /** Data segment in bytes. */
  data?: LimitValue;
  /** Stack in bytes. */
  stack?: LimitValue;
  /** Largest file that may be written, in bytes. */
  fsize?: LimitValue;
  /** Memory that may be locked, in bytes. */
  memlock?: LimitValue;
  /** Memory of the whole jail in bytes. Of a jail only, not of a command. */
  memory?: number;
  /** Processes in the whole jail. Of a jail only, not of a command. */
  processes?: number;
}

/** The name of a limit of setrlimit(2). */
export type RlimitName = Exclude<keyof Limits, 'memory' | 'processes'>;

/** One limit as the monitor takes it. */
export interface ResolvedLimit {
  readonly name: RlimitName;
  /** The place in the list of docs/monitor-protocol.md. */
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** All limits of a jail as the monitor takes them. */
export interface ResolvedLimits {
  readonly rlimits: readonly ResolvedLimit[];
  /** Bytes; {@link UNLIMITED} for none. */
  readonly memory: bigint;
  /** {@link UNLIMITED} for none. */
  readonly processes: bigint;
}

/** No limit, in the monitor's terms. */
export const UNLIMITED = 2n ** 64n - 1n;

/** The limits of setrlimit(2); a limit's place is its resource number in docs/monitor-protocol.md. */
export const rlimitNames = [
  'nofile',
  'nproc',
  'core',
  'cpu',
  'as',
  'data',
  'stack',
  'fsize',
  'memlock',
] as const satisfies readonly RlimitName[];

const WHOLE_JAIL = ['memory', 'processes'] as const;

/**
 * Checks the limits of a jail.
 *
 * @param value limits by name; undefined is none
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function resolveLimits(value: unknown, name = 'limits'): ResolvedLimits {
  if (value === undefined) return { rlimits: [], memory: UNLIMITED, processes: UNLIMITED };
  assertObject(value, name, 'an object of limits');
  assertKnownKeys(value, [...rlimitNames, ...WHOLE_JAIL], name);
  return {
    rlimits: rlimits(value, name),
    memory: wholeJail(value.memory, `${name}.memory`),
    processes: wholeJail(value.processes, `${name}.processes`),
  };
}

/**
 * Checks the limits of one command.
 *
 * @param value limits by name; undefined is none
 * @param name the argument, for messages
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_JAIL_UNSUPPORTED` for the limits that only
 *   a whole jail can have
 */
export function resolveCommandLimits(value: unknown): readonly ResolvedLimit[] {
  const name = 'limits';
  assertObject(value, name, 'an object of limits');
  assertKnownKeys(value, [...rlimitNames, ...WHOLE_JAIL], name);
  for (const limit of WHOLE_JAIL) {
    if (value[limit] === undefined) continue;
    const hint = `give ${limit} in the limits of the jail`;
    throw unsupported(`${name}.${limit} of one command`, 'it is a limit of the whole jail', hint);
  }
  return rlimits(value, name);
}

function rlimits(value: Readonly<Record<string, unknown>>, name: string): ResolvedLimit[] {
  const limits: ResolvedLimit[] = [];
  for (const [resource, limit] of rlimitNames.entries()) {
    if (value[limit] === undefined) continue;
    const { soft, hard } = bothLimits(value[limit], `${name}.${limit}`);
    limits.push({ name: limit, resource, soft, hard });
  }
  return limits;
}

function bothLimits(value: unknown, name: string): { soft: bigint; hard: bigint } {
  if (typeof value === 'number') {
    const both = amount(value, name);
    return { soft: both, hard: both };
  }
  assertObject(value, name, 'a number or { soft, hard }');
  assertKnownKeys(value, ['soft', 'hard'], name);
  const soft = amount(value.soft, `${name}.soft`);
  const hard = amount(value.hard, `${name}.hard`);
  if (soft > hard) throw invalidValue(`${name}.soft`, 'at most the hard limit', value.soft);
  return { soft, hard };
}

function wholeJail(value: unknown, name: string): bigint {
  if (value === undefined) return UNLIMITED;
  if (typeof value === 'object') {
    throw invalidType(name, 'a number', value, 'a limit of a whole jail has no soft and hard one');
  }
  const limit = amount(value, name);
  if (limit === 0n) throw invalidValue(name, 'an integer of at least 1, or Infinity', value);
  return limit;
}

function amount(value: unknown, name: string): bigint {
  if (value === Number.POSITIVE_INFINITY) return UNLIMITED;
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  assertInteger(value, name, 0);
  return BigInt(value);
}
