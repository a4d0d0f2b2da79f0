import { createHash } from 'node:crypto';
import { invalidType, invalidValue } from '../errors.js';
import { Jail } from '../jail.js';
import { resolveSpawn, type SpawnOptions } from '../spawn-options.js';
import type { JailSpec } from '../spec.js';
import { resolveStop } from '../stop-options.js';
import {
  assertAbsolutePath,
  assertArray,
  assertInteger,
  assertKnownKeys,
  assertObject,
  assertOneOf,
  assertText,
  type UnknownRecord,
} from '../validate.js';
import type {
  HealthCheck,
  LogFile,
  LogLine,
  Readiness,
  RestartPolicy,
  ServiceSpec,
} from './service-spec.js';

/** A checked {@link ServiceSpec} with every default filled in. */
export interface Definition {
  readonly name: string;
  readonly jail: JailSpec;
  readonly argv: readonly string[];
  readonly oneshot: boolean;
  readonly spawn: SpawnOptions;
  readonly dependsOn: readonly string[];
  readonly ready: ResolvedReadiness | null;
  readonly health: ResolvedHealth | null;
  readonly restart: Required<RestartPolicy>;
  readonly log: Required<LogFile> | ((line: LogLine) => void) | null;
  readonly stop: NonNullable<ServiceSpec['stop']>;
  /** Two definitions with the same are the same service. */
  readonly hash: string;
}

export interface ResolvedReadiness {
  readonly port: number | null;
  readonly file: string | null;
  readonly line: RegExp | null;
  readonly timeoutMs: number;
}

export interface ResolvedHealth {
  readonly argv: readonly string[] | null;
  readonly port: number | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
}

const MAX_MS = 0x7fffffff;
const SERVICE_KEYS = [
  'jail',
  'command',
  'kind',
  'env',
  'cwd',
  'user',
  'group',
  'groups',
  'limits',
  'login',
  'dependsOn',
  'ready',
  'health',
  'restart',
  'log',
  'stop',
] as const satisfies readonly (keyof ServiceSpec)[];
const SPAWN_KEYS = ['env', 'cwd', 'user', 'group', 'groups', 'limits', 'login'] as const;

/**
 * Checks a service's definition and fills in its defaults.
 *
 * @param name the service's
 * @param value what was given
 * @throws JailError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_JAIL_UNSUPPORTED`
 */
export function defineService(name: string, value: unknown): Definition {
  const at = `services.${name}`;
  assertObject(value, at);
  assertKnownKeys(value, SERVICE_KEYS, at, { depends: 'use dependsOn', args: 'use command' });
  const argv = textList(value.command, `${at}.command`);
  const [file, ...args] = argv;
  if (file === undefined) throw invalidValue(`${at}.command`, 'a program at least', value.command);
  const spawn = pick(value, SPAWN_KEYS) as SpawnOptions;
  resolveSpawn(file, args, spawn);
  const definition = {
    name,
    jail: jailOf(name, value.jail),
    argv,
    oneshot: kindOf(value.kind, at) === 'oneshot',
    spawn,
    dependsOn: value.dependsOn === undefined ? [] : textList(value.dependsOn, `${at}.dependsOn`),
    ready: readinessOf(value.ready, `${at}.ready`),
    health: healthOf(value.health, `${at}.health`),
    restart: restartOf(value.restart, `${at}.restart`),
    log: logOf(value.log, `${at}.log`),
    stop: stopOf(value.stop),
  };
  return { ...definition, hash: hashOf(definition) };
}

function jailOf(name: string, value: unknown): JailSpec {
  assertObject(value, `services.${name}.jail`);
  const spec = { name, ...value } as unknown as JailSpec;
  Jail.plan(spec); // checks all of it
  return spec;
}

function kindOf(value: unknown = 'simple', at: string): 'simple' | 'oneshot' {
  assertOneOf(value, `${at}.kind`, ['simple', 'oneshot']);
  return value;
}

function readinessOf(value: unknown, at: string): ResolvedReadiness | null {
  if (value === undefined) return null;
  assertObject(value, at);
  assertKnownKeys(value, ['port', 'file', 'line', 'timeoutMs'] satisfies (keyof Readiness)[], at);
  const { port = null, file = null, line = null, timeoutMs = 30_000 } = value;
  if (port !== null) assertInteger(port, `${at}.port`, 1, 65_535);
  if (file !== null) assertAbsolutePath(file, `${at}.file`);
  assertInteger(timeoutMs, `${at}.timeoutMs`, 1, MAX_MS);
  if (port === null && file === null && line === null) {
    throw invalidValue(at, 'a port, a file or a line', value);
  }
  return { port, file, line: line === null ? null : expressionOf(line, `${at}.line`), timeoutMs };
}

function expressionOf(value: unknown, at: string): RegExp {
  // Without the flags that make an expression remember where it was.
  if (value instanceof RegExp) return new RegExp(value.source, value.flags.replace(/[gy]/g, ''));
  if (typeof value !== 'string') throw invalidType(at, 'a text or an expression', value);
  return new RegExp(value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
}

function healthOf(value: unknown, at: string): ResolvedHealth | null {
  if (value === undefined) return null;
  assertObject(value, at);
  const keys = ['command', 'port', 'intervalMs', 'timeoutMs', 'failures'];
  assertKnownKeys(value, keys satisfies string[] as (keyof HealthCheck)[], at);
  const { command, port = null, intervalMs = 10_000, timeoutMs = 5000, failures = 3 } = value;
  if (port !== null) assertInteger(port, `${at}.port`, 1, 65_535);
  if ((command === undefined) === (port === null)) {
    throw invalidValue(at, 'either a command or a port', value);
  }
  assertInteger(intervalMs, `${at}.intervalMs`, 1, MAX_MS);
  assertInteger(timeoutMs, `${at}.timeoutMs`, 1, MAX_MS);
  assertInteger(failures, `${at}.failures`, 1, MAX_MS);
  const argv = command === undefined ? null : textList(command, `${at}.command`);
  return { argv, port, intervalMs, timeoutMs, failures };
}

function restartOf(value: unknown, at: string): Required<RestartPolicy> {
  const given = typeof value === 'string' ? { when: value } : (value ?? {});
  assertObject(given, at);
  const keys = ['when', 'delayMs', 'maxDelayMs', 'resetMs', 'limit', 'withinMs'] as const;
  assertKnownKeys(given, keys, at);
  const { when = 'on-failure', delayMs = 100, maxDelayMs = 30_000, resetMs = 60_000 } = given;
  const { limit = 10, withinMs = 600_000 } = given;
  assertOneOf(when, `${at}.when`, ['always', 'on-failure', 'never']);
  assertInteger(delayMs, `${at}.delayMs`, 0, MAX_MS);
  assertInteger(maxDelayMs, `${at}.maxDelayMs`, 0, MAX_MS);
  assertInteger(resetMs, `${at}.resetMs`, 0, MAX_MS);
  assertInteger(withinMs, `${at}.withinMs`, 1, MAX_MS);
  if (limit !== Number.POSITIVE_INFINITY) assertInteger(limit, `${at}.limit`, 0, MAX_MS);
  return { when, delayMs, maxDelayMs, resetMs, limit, withinMs };
}

function logOf(value: unknown, at: string): Definition['log'] {
  if (value === undefined) return null;
  if (typeof value === 'function') return value as (line: LogLine) => void;
  assertObject(value, at);
  assertKnownKeys(value, ['file', 'maxBytes', 'keep'] satisfies (keyof LogFile)[], at);
  const { file, maxBytes = 10 * 2 ** 20, keep = 3 } = value;
  assertAbsolutePath(file, `${at}.file`);
  assertInteger(maxBytes, `${at}.maxBytes`, 1, Number.MAX_SAFE_INTEGER);
  assertInteger(keep, `${at}.keep`, 0, 1000);
  return { file, maxBytes, keep };
}

function stopOf(value: unknown = {}): Definition['stop'] {
  resolveStop(value);
  return value as Definition['stop'];
}

function textList(value: unknown, at: string): readonly string[] {
  assertArray(value, at, 'an array of texts');
  return Array.from(value, (item: unknown, index) => {
    assertText(item, `${at}[${index}]`);
    return item;
  });
}

function pick(value: UnknownRecord, keys: readonly string[]): object {
  const given = keys.filter((key) => value[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, value[key]]));
}

// Functions are the program's own affair: a reload with another callback is no other service.
function hashOf(definition: object): string {
  const text = JSON.stringify(definition, (_key, value: unknown) =>
    value instanceof RegExp ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
